#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the two programs of a platform, as target/dist-build/TARGET/release/antrea-cni and antrea-cnictl:
# programs.sh amd64|arm64|arm|windows [plugin]. With `plugin` it builds the plugin alone. The archives hold
# these very files, and the suites run on them. The bytes are the same in each folder (for
# Windows, see check.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
case $1 in
  amd64) target=x86_64-unknown-linux-musl linker=cc package=gcc ;;
  arm64) target=aarch64-unknown-linux-musl linker=cc package=gcc ;;
  arm) target=armv7-unknown-linux-gnueabihf linker=arm-linux-gnueabihf-gcc package='gcc-arm-linux-gnueabihf libc6-dev-armhf-cross' ;;
  windows) target=x86_64-pc-windows-gnu linker=x86_64-w64-mingw32-gcc package=gcc-mingw-w64-x86-64 ;;
  *) echo "the platform is amd64, arm64, arm or windows, not '$1'" >&2; exit 2 ;;
esac
command -v $linker >/dev/null || { echo "$1 needs $linker: apt-get install $package" >&2; exit 1; }
[ -n "$(ls "$(rustc --print target-libdir --target $target)" 2>/dev/null)" ] || rustup target add $target
# RUSTFLAGS would take the place of what .cargo/config.toml says of a target.
unset RUSTFLAGS
command -v cargo-auditable >/dev/null || cargo install --locked cargo-auditable@0.7.7
export CARGO_TARGET_DIR=$PWD/target/dist-build CARGO_TERM_COLOR=never
built=$CARGO_TARGET_DIR/$target/release
mkdir -p "$built"
# No path of this machine is in the programs.
printf "[target.$target]\nrustflags = ['--remap-path-prefix=%s=/antrea-cni', '--remap-path-prefix=%s=/cargo']\n" \
  "$PWD" "${CARGO_HOME:-$HOME/.cargo}" >"$built/remap.toml"
build() { cargo --config "$built/remap.toml" auditable build --locked --release --target $target -p "$1" --bin "$1"; }
build antrea-cni
[ "${2:-}" = plugin ] || ANTREA_CNI_EMBED=$(ls "$built"/antrea-cni{,.exe} 2>/dev/null) build antrea-cnictl
