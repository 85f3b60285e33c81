#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Writes the SBOMs (CycloneDX) of both programs: sbom.sh TARGET FOLDER.
set -euo pipefail
target=$1 folder=$(realpath -m "$2")
cd "$(dirname "$0")/.."
command -v cargo-cyclonedx >/dev/null || env -u RUSTFLAGS -u CARGO_TARGET_DIR cargo install --locked cargo-cyclonedx@0.5.9
mkdir -p "$folder"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
cargo cyclonedx --quiet --format json --target "$target" --no-build-deps --override-filename sbom.tmp
for package in . ctl; do
  # A number that is new each time, and the folder that it was built in.
  python3 - "$package/sbom.tmp.json" "$PWD" >"$folder/antrea-cni${package#.}.cdx.json" <<'PY'
import json, sys
path, folder = sys.argv[1:]
text = open(path).read().replace(f"file://{folder}", "file:///antrea-cni")
bom = json.loads(text)
bom.pop("serialNumber", None)
print(json.dumps(bom, separators=(",", ":"), sort_keys=True))
PY
done
find . -name sbom.tmp.json -not -path './target/*' -delete
