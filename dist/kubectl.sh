#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the kubectl plugin for desks, and packs it: kubectl.sh OUT PLATFORM..., each of linux-amd64,
# linux-arm64, windows-amd64, darwin-amd64 and darwin-arm64. Those of darwin need macOS. Each archive
# holds the program, what completes its command lines, its man pages and licences.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CARGO_TERM_COLOR=never CARGO_TARGET_DIR=$PWD/target/dist-build
umask 022
unset RUSTFLAGS
needs() { command -v "$1" >/dev/null || { echo "$platform needs $1: apt-get install $2" >&2; exit 1; }; }
for platform in "$@"; do
  program=kubectl-antrea_cni
  case $platform in
    linux-amd64) target=x86_64-unknown-linux-musl; needs cc gcc; export CC_x86_64_unknown_linux_musl=cc ;;
    linux-arm64) target=aarch64-unknown-linux-musl; needs aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
      export CC_aarch64_unknown_linux_musl=aarch64-linux-gnu-gcc ;;
    windows-amd64) target=x86_64-pc-windows-gnu program=kubectl-antrea_cni.exe; needs x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64 ;;
    darwin-amd64) target=x86_64-apple-darwin ;;
    darwin-arm64) target=aarch64-apple-darwin ;;
    *) echo "the platform is linux-amd64, linux-arm64, windows-amd64, darwin-amd64 or darwin-arm64, not '$platform'" >&2; exit 2 ;;
  esac
  [ -n "$(ls "$(rustc --print target-libdir --target $target)" 2>/dev/null)" ] || rustup target add $target
  built=$CARGO_TARGET_DIR/$target/release
  mkdir -p "$built"
  # No path of this machine is in the program.
  printf "[target.$target]\nrustflags = ['--remap-path-prefix=%s=/antrea-cni', '--remap-path-prefix=%s=/cargo']\n" \
    "$PWD" "${CARGO_HOME:-$HOME/.cargo}" >"$built/remap.toml"
  cargo --config "$built/remap.toml" build --locked --release --target $target -p kubectl-antrea-cni
  name=kubectl-antrea_cni-$version-$platform
  rm -rf "${out:?}/$name" && mkdir "$out/$name"
  cp "$built/$program" kubectl/kubectl_complete-antrea_cni LICENSE "$out/$name/"
  python3 dist/licenses.py "$out/$name/THIRD-PARTY-LICENSES.txt" $target kubectl-antrea-cni
  # The pages are made by the program, where it runs.
  if "$out/$name/$program" --version >/dev/null 2>&1; then "$out/$name/$program" man "$out/$name/man"; fi
  python3 dist/zip.py "$out" "$name"
  ls -l "$out/$name.zip"
done
