#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds all packages with the lowest versions that Cargo.toml allows of what it names, so
# that the numbers there are true, and by the oldest Rust that it declares.
set -euo pipefail
cd "$(dirname "$0")/.."
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive HEAD | tar -x -C "$work"
cd "$work"
rm Cargo.lock
# The resolver's option is unstable; what it resolves is built by a stable compiler.
RUSTC_BOOTSTRAP=1 cargo -Z direct-minimal-versions generate-lockfile --quiet
used=$(rustc --version | cut -d ' ' -f 2)
[ "${used%.*}" = "$oldest" ] || { echo "rust-toolchain.toml has $used, and rust-version is $oldest" >&2; exit 1; }
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$OLDPWD/target/minimal-versions} cargo check --workspace --all-targets
echo "minimal versions: all packages build, by Rust $used"
