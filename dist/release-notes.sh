#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Prints what the CHANGELOG says of a version: release-notes.sh [VERSION], by default the
# one in Cargo.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)}
notes=$(awk -v version="$version" '/^## /{on = ($2 == version)} on' CHANGELOG.md)
[ -n "$notes" ] || { echo "CHANGELOG.md has no section for $version" >&2; exit 1; }
echo "$notes" | sed 1d
