#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Runs each fuzz target for some seconds, from the corpus that seed.py writes and the
# regression inputs: fuzz/run.sh SECONDS [TARGET...]. With 0 seconds it builds them.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
shift
if ! rustup run nightly rustc --version >/dev/null 2>&1 && ! rustup toolchain install nightly --profile minimal; then
  echo '*** fuzzing skipped: a nightly toolchain cannot be had here ***'
  exit 0
fi
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz@0.13.2
python3 seed.py
[ $# -gt 0 ] || set -- $(cargo +nightly fuzz list)
cargo +nightly fuzz build
[ "$seconds" != 0 ] || exit 0
for target in "$@"; do
  echo "=== fuzz $target, $seconds s"
  cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -timeout=20 -max_len=8192 \
    -print_final_stats=1 2>&1 | grep -E 'stat::number_of_executed_units|cov: [0-9]+ .*(DONE|pulse)|SUMMARY|panicked|Test unit' | tail -n 4
done
