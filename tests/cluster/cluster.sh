#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# cluster.sh build|up|down|run [SCENARIO...]: see cluster.py. A machine that cannot have a cluster says what it lacks, and that
# is no fault.
set -euo pipefail
. "$(dirname "$0")/env.sh"
if ! lacks=$(bash "$HERE/lacks.sh"); then
  echo "*** skipped: a cluster needs what this machine lacks: $lacks ***" >&2
  exit 0
fi
exec python3 "$HERE/cluster.py" "$@"
