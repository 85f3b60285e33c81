#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Rehearses in copies of the tree what comes next: an API version (one proto folder, one file, and
# two lines in src/api.rs), a setting, a command, a subcommand of the tool and a key of the log. Says
# which files each touches, runs all tests of all packages, and looks for the new things in what the
# programs print. In the first copy the API is v1 under a new package; in the second it is a
# service of another shape, with an agent that serves it (tests/rehearsal/other).
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$PWD/target/rehearsal
# cargo takes what it built of one tree for that of another, if they share a folder.
export CARGO_TARGET_DIR=$scratch/target CARGO_TERM_COLOR=never EXHAUSTIVE_EVENTS=1 EXHAUSTIVE_SECONDS=1
unset ANTREA_CNI_PLUGIN ANTREA_CNICTL
mkdir -p "$scratch"
# What was built of other packages is the same here. What is of this tree is built anew.
if [ -d target/debug/deps ] && [ ! -d "$CARGO_TARGET_DIR/debug" ]; then
  mkdir -p "$CARGO_TARGET_DIR/debug"
  tests=$(cargo metadata --no-deps --format-version 1 | grep -o '"kind":\["test"\],"crate_types":\["bin"\],"name":"[^"]*"' | cut -d'"' -f12)
  tar -cf - -C target/debug --exclude='antrea*' --exclude='libantrea*' --exclude='kubectl*' $(printf -- '--exclude=%s-* ' $tests) \
    deps build .fingerprint | tar -xf - -C "$CARGO_TARGET_DIR/debug"
fi
git ls-files -z --cached --others --exclude-standard | tar --null -cf "$scratch/tree.tar" -T -

commit() { git add -A && git -c user.name=rehearsal -c user.email=rehearsal@localhost commit -qm "$1"; }

tree() { # a fresh copy
  rm -rf "$scratch/tree"
  mkdir "$scratch/tree"
  tar -xf "$scratch/tree.tar" -C "$scratch/tree"
  cd "$scratch/tree"
  git init -q . && commit before
}

touches() { # WHAT FILE...: what was changed since the last commit are these files and no others
  cargo fmt --all
  git add -A
  echo "=== $1: $(($# - 1)) files, $(git diff --cached --numstat | awk '{ n += $1 } END { print n }') lines"
  git diff --cached --stat
  diff <(git diff --cached --name-only | LC_ALL=C sort) <(printf '%s\n' "${@:2}" | LC_ALL=C sort) ||
    { echo "$1 touches other files than it should" >&2; exit 1; }
  commit "$1"
}

newest() { # the two lines of a new API
  sed -i 's/^mod v1;/mod v2;\n&/; s/&\[Self::V1, /\&[Self::V2, Self::V1, /' src/api.rs
}

tree
python3 tests/rehearsal/edit.py setting
UPDATE=1 cargo test --test it settings_page
touches 'a boolean setting' src/input/settings.rs tests/it/settings.rs deploy/helm/values.schema.json docs/settings.md
python3 tests/rehearsal/edit.py command
UPDATE=1 cargo test --test matrix
touches 'a command' src/action.rs src/api/v1.rs src/api/v1beta1.rs src/client.rs src/input/timeouts.rs \
  agent/src/commands.rs tests/matrix.rs docs/version-matrix.md
python3 tests/rehearsal/edit.py subcommand
touches 'a subcommand of the tool' ctl/src/cli.rs ctl/src/commands.rs ctl/src/commands/rehearsed.rs ctl/src/lib.rs \
  README.md docs/windows.md
python3 tests/rehearsal/edit.py key
UPDATE=1 cargo test --test it json_page
touches 'a key of the log' src/log/event.rs tests/it/log.rs docs/json.md
mkdir proto/v2
sed 's/^package .*;/package antrea_io.antrea.pkg.apis.cni.v2;/' proto/v1/cni.proto >proto/v2/cni.proto
sed 's/cni\.v1\.rs/cni.v2.rs/; s/const V1:/const V2:/; s/name: "v1"/name: "v2"/; s/version: "1\.1\.0"/version: "2.0.0"/; s/^\(\/\/! \|    \/\/\/ \)API 1.1.0/\1API 2.0.0/' \
  src/api/v1.rs >src/api/v2.rs
newest
touches 'an API of the same shape' proto/v2/cni.proto src/api.rs src/api/v2.rs
cargo clippy --workspace --all-targets -- -D warnings
cargo test --workspace --no-fail-fast
bin=$CARGO_TARGET_DIR/debug
prints() { # LINE PROGRAM...: a new thing is in what a program prints
  "${@:2}" >"$scratch/printed" || { echo "${*:2}: exit status $?" >&2; exit 1; }
  grep -q -- "$1" "$scratch/printed" || { echo "${*:2}: nothing like $1" >&2; cat "$scratch/printed" >&2; exit 1; }
}
export COLUMNS=100
prints '^rehearsed  *false' "$bin/antrea-cnictl" settings --bin-dir "$scratch/none" --conf-dir "$scratch/none"
prints 'ADD, .*PAUSE' "$bin/antrea-cnictl" log show --help
prints '^rehearsed$' "$bin/antrea-cnictl" rehearsed
prints 'APIs to serve: v2, v1,' "$bin/antrea-cni-agent" --help

tree
mkdir proto/v2
cp tests/rehearsal/other/cni.proto proto/v2/
cp tests/rehearsal/other/v2.rs src/api/
cp tests/rehearsal/other/agent.rs tests/rehearsed.rs
newest
touches 'an API of another shape' proto/v2/cni.proto src/api.rs src/api/v2.rs tests/rehearsed.rs
cargo clippy --workspace --all-targets -- -D warnings
# All but tests/hostile.rs and tests/exhaustive, whose agents answer in the shape of v1, and what knows no API:
# kubectl's tests and the examples in the documentation.
cargo test --workspace --no-fail-fast --lib --test structure --test it --test matrix --test interop --test rehearsed \
  --test conformance --test ctl
