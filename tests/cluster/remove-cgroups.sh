#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# remove-cgroups.sh PATTERN: removes the cgroups of that name, and what is below them, in each hierarchy. Their
# processes are gone, and the kernel may need a moment to notice.
set -euo pipefail
for _ in $(seq 50); do
  left=$(find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name "$1" 2>/dev/null || true)
  [ -n "$left" ] || exit 0
  while read -r cgroup; do find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true; done <<<"$left"
  sleep 0.1
done
echo "cgroups that are not empty: $left" >&2
exit 1
