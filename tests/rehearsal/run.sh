#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Rehearses the next API version in a copy of the tree: one proto folder, one file,
# and two lines in src/api.rs. `same` is v1 under a new package; `other` is a
# service of another shape, with an agent that serves it (tests/rehearsal/other).
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$PWD/target/rehearsal
export CARGO_TARGET_DIR=$scratch/target CARGO_TERM_COLOR=never
unset ANTREA_CNI_PLUGIN
mkdir -p "$scratch"
git ls-files -z --cached --others --exclude-standard | tar --null -cf "$scratch/tree.tar" -T -

tree() { # a fresh copy
  rm -rf "$scratch/tree"
  mkdir "$scratch/tree"
  tar -xf "$scratch/tree.tar" -C "$scratch/tree"
  cd "$scratch/tree"
  git init -q . && git add -A && git -c user.name=rehearsal -c user.email=rehearsal@localhost commit -qm before
}

lines() { # the two lines
  sed -i 's/^mod v1;/mod v2;\n&/; s/&\[Self::V1, /\&[Self::V2, Self::V1, /' src/api.rs
  cargo fmt --all
  echo "=== $1: what it touches"
  git add -A
  git diff --cached --stat
  test "$(git diff --cached --name-only | sort | tr '\n' ' ')" = \
    "proto/v2/cni.proto src/api.rs src/api/v2.rs$2 "
}

echo '=== same: v1 under a new package'
tree
mkdir proto/v2
sed 's/^package .*;/package antrea_io.antrea.pkg.apis.cni.v2;/' proto/v1/cni.proto >proto/v2/cni.proto
sed 's/cni\.v1\.rs/cni.v2.rs/; s/const V1:/const V2:/; s/name: "v1"/name: "v2"/; s/version: "1\.1\.0"/version: "2.0.0"/; s/^\(\/\/! \|    \/\/\/ \)API 1.1.0/\1API 2.0.0/' \
  src/api/v1.rs >src/api/v2.rs
lines same ''
cargo clippy --workspace --all-targets -- -D warnings
cargo test --test structure --test it --test matrix -- --skip time::every_command
cargo test -p antrea-cni --lib
cargo test -p antrea-cni-agent
cargo test -p antrea-cnictl --test ctl probe

echo '=== other: a service of another shape'
tree
mkdir proto/v2
cp tests/rehearsal/other/cni.proto proto/v2/
cp tests/rehearsal/other/v2.rs src/api/
cp tests/rehearsal/other/agent.rs tests/rehearsed.rs
lines other ' tests/rehearsed.rs'
cargo clippy --workspace --all-targets -- -D warnings
cargo test --test structure --test it --test rehearsed -- --skip time::every_command
cargo test -p antrea-cni-agent
