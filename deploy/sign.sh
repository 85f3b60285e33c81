#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Signs what `make dist chart publish` built and pushed, by cosign: each archive, package and the chart's
# get a FILE.sigstore.json beside them, image and chart a signature in their registry. Without a key the
# signature is that of the workflow that runs this. Further arguments are cosign's: --key FILE, and so on.
set -euo pipefail
cd "$(dirname "$0")/.."
for file in target/dist/*.tar.gz target/dist/*.zip target/dist/*.deb target/dist/*.rpm target/dist/*.tgz target/dist/SHA256SUMS; do
  [ -e "$file" ] || { echo "there is no $file: make dist chart" >&2; exit 1; }
  cosign sign-blob --yes "$@" --bundle "$file.sigstore.json" "$file" >/dev/null
done
# cosign may ask for a password on standard input.
while read -r pushed <&3; do
  cosign sign --yes "$@" ${PLAIN_HTTP:+--allow-http-registry} "$pushed"
done 3<target/published
