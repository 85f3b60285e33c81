#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the release archives, the same bytes wherever they are built: dist/build.sh OUT.
# One for each of amd64, arm64 and arm (v7). What goes in: both programs with the list of
# their dependencies inside (cargo auditable), documentation, what is in deploy/, man
# pages, completions, SBOMs (CycloneDX), licence texts. Beside the archives: a Debian and an
# RPM package of each, and SHA256SUMS of all of them and of each file in them. What was
# built of this commit already is left as it is, if all platforms were. ALL=1: a platform
# that cannot be built is an error, as for a release.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "$1")
commit=$(git rev-parse HEAD)
if git diff --quiet HEAD && [ "$(cat "$out/.commit" 2>/dev/null)" = "$commit" ]; then
  cat "$out/SHA256SUMS"
  exit
fi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CARGO_TERM_COLOR=never
# No path of this machine in the programs.
remap="'--remap-path-prefix=$PWD=/antrea-cni', '--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo'"
export CARGO_TARGET_DIR=$PWD/target/dist-build
mkdir -p "$CARGO_TARGET_DIR"
umask 022

unset RUSTFLAGS
# Beside what .cargo/config.toml says of a target. RUSTFLAGS would take its place.
remap() { printf '[target.%s]\nrustflags = [%s]\n' $1 "$remap" >"$CARGO_TARGET_DIR/remap.toml"; }
tool() { command -v "cargo-$1" >/dev/null || env -u RUSTFLAGS -u CARGO_TARGET_DIR cargo install --locked "cargo-$1@$2"; }
tool auditable 0.7.7
tool deb 3.8.0
tool generate-rpm 0.21.1

rm -rf "$out"
skipped=
skip() { # PLATFORM WHAT
  skipped=1
  echo "*** skipped: $1 needs $2 ***" >&2
  [ -z "${ALL:-}" ] || exit 1
}
for platform in amd64:x86_64-unknown-linux-musl arm64:aarch64-unknown-linux-musl arm:armv7-unknown-linux-gnueabihf; do
  arch=${platform%:*} target=${platform#*:}
  name=antrea-cni-$version-linux-$arch stage=$out/antrea-cni-$version-linux-$arch
  if [ $arch = arm ] && ! command -v arm-linux-gnueabihf-gcc >/dev/null; then
    skip linux/arm arm-linux-gnueabihf-gcc
    continue
  fi
  remap $target
  rustup target add $target >/dev/null 2>&1 || true
  mkdir -p "$stage/man" "$stage/completions" "$stage/sbom"
  cargo --config "$CARGO_TARGET_DIR/remap.toml" auditable build --locked --release --target $target -p antrea-cni --bin antrea-cni
  ANTREA_CNI_EMBED=$CARGO_TARGET_DIR/$target/release/antrea-cni \
    cargo --config "$CARGO_TARGET_DIR/remap.toml" auditable build --locked --release --target $target -p antrea-cnictl --bin antrea-cnictl
  cp "$CARGO_TARGET_DIR/$target/release"/antrea-cni{,ctl} "$stage/"
  # Those of the first run on the machine that builds.
  [ $arch != amd64 ] || native=$stage/antrea-cnictl
  "$native" man "$stage/man"
  for shell in bash zsh fish; do "$native" completions $shell >"$stage/completions/antrea-cnictl.$shell"; done
  cp LICENSE README.md CHANGELOG.md SECURITY.md "$stage/"
  git archive HEAD docs deploy | tar -x -C "$stage"
  python3 dist/licenses.py "$stage/THIRD-PARTY-LICENSES.txt" $target antrea-cni antrea-cnictl
  dist/sbom.sh $target "$stage/sbom"
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$out" -c "$name" |
    gzip -9 -n >"$out/$name.tar.gz"
  # Of what was just built; ctl/Cargo.toml says what goes where.
  rm -rf target/package
  cp -r "$stage" target/package
  cargo deb --quiet --no-build --no-strip -p antrea-cnictl --target $target --output "$out/$name.deb"
  cargo generate-rpm -p ctl --target $target --source-date "$SOURCE_DATE_EPOCH" --output "$out/$name.rpm"
done
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
  target=x86_64-pc-windows-gnu name=antrea-cni-$version-windows-amd64
  stage=$out/$name
  remap $target
  rustup target add $target >/dev/null 2>&1 || true
  mkdir -p "$stage/docs" "$stage/sbom"
  cargo --config "$CARGO_TARGET_DIR/remap.toml" auditable build --locked --release --target $target -p antrea-cni --bin antrea-cni
  ANTREA_CNI_EMBED=$CARGO_TARGET_DIR/$target/release/antrea-cni.exe \
    cargo --config "$CARGO_TARGET_DIR/remap.toml" auditable build --locked --release --target $target -p antrea-cnictl --bin antrea-cnictl
  cp "$CARGO_TARGET_DIR/$target/release/antrea-cni.exe" "$stage/antrea.exe"
  cp "$CARGO_TARGET_DIR/$target/release/antrea-cnictl.exe" "$stage/"
  cp LICENSE README.md CHANGELOG.md SECURITY.md "$stage/"
  cp docs/windows.md docs/settings.md docs/errors.md "$stage/docs/"
  cp -r deploy/windows "$stage/"
  python3 dist/licenses.py "$stage/THIRD-PARTY-LICENSES.txt" $target antrea-cni antrea-cnictl
  dist/sbom.sh $target "$stage/sbom"
  python3 dist/zip.py "$out" "$name"
else
  skip windows/amd64 x86_64-w64-mingw32-gcc
fi
(cd "$out" && find . -type f ! -name SHA256SUMS ! -name .commit -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
cat "$out/SHA256SUMS"
[ -n "$skipped" ] || echo "$commit" >"$out/.commit"
