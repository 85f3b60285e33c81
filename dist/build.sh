#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the release archives, the same bytes in each folder (for Windows, see check.sh): dist/build.sh OUT.
# One for each of amd64, arm64, arm (v7) and Windows. What goes in: the programs of programs.sh
# with the list of their dependencies inside (cargo auditable), documentation, what is in deploy/,
# man pages, completions, SBOMs (CycloneDX), licence texts. Beside the archives: a Debian and an
# RPM package of each, and SHA256SUMS of all of them and of each file in them. What was
# built of this commit already is left as it is, if all platforms were. ALL=1: a platform
# that cannot be built is an error, as for a release. PLATFORMS: these only.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "$1")
commit=$(git rev-parse HEAD)
if git diff --quiet HEAD && [ "$(cat "$out/.commit" 2>/dev/null)" = "$commit" ]; then
  cat "$out/SHA256SUMS"
  exit
fi
PLATFORMS=${PLATFORMS:-amd64 arm64 arm windows}
wanted() { [[ " $PLATFORMS " == *" $1 "* ]]; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
# cargo-deb and cargo-generate-rpm look for the programs there.
export CARGO_TARGET_DIR=$PWD/target/dist-build
umask 022
tool() { command -v "cargo-$1" >/dev/null || env -u RUSTFLAGS -u CARGO_TARGET_DIR cargo install --locked "cargo-$1@$2"; }
tool deb 3.8.0
tool generate-rpm 0.21.1

rm -rf "$out"
skipped=
skip() { # PLATFORM WHAT
  skipped=1
  echo "*** skipped: $1 needs $2 ***" >&2
  [ -z "${ALL:-}" ] || exit 1
}
stage() { # ARCH TARGET NAME: a folder with what all archives have
  stage=$out/$3
  mkdir -p "$stage/sbom"
  dist/programs.sh $1
  cp LICENSE README.md CHANGELOG.md SECURITY.md "$stage/"
  python3 dist/licenses.py "$stage/THIRD-PARTY-LICENSES.txt" $2 antrea-cni antrea-cnictl
  dist/sbom.sh $2 "$stage/sbom"
}
for platform in amd64:x86_64-unknown-linux-musl arm64:aarch64-unknown-linux-musl arm:armv7-unknown-linux-gnueabihf; do
  arch=${platform%:*} target=${platform#*:}
  wanted $arch || continue
  name=antrea-cni-$version-linux-$arch
  if [ $arch = arm ] && ! command -v arm-linux-gnueabihf-gcc >/dev/null; then
    skip linux/arm arm-linux-gnueabihf-gcc
    continue
  fi
  stage $arch $target $name
  mkdir "$stage/man" "$stage/completions"
  cp "$CARGO_TARGET_DIR/$target/release"/antrea-cni{,ctl} "$stage/"
  # Those of the first run on the machine that builds.
  [ $arch != amd64 ] || native=$stage/antrea-cnictl
  "$native" man "$stage/man"
  for shell in bash zsh fish; do "$native" completions $shell >"$stage/completions/antrea-cnictl.$shell"; done
  git archive HEAD docs deploy | tar -x -C "$stage"
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$out" -c "$name" |
    gzip -9 -n >"$out/$name.tar.gz"
  # Of what was just built; ctl/Cargo.toml says what goes where.
  rm -rf target/package
  cp -r "$stage" target/package
  cargo deb --quiet --no-build --no-strip -p antrea-cnictl --target $target --output "$out/$name.deb"
  cargo generate-rpm -p ctl --target $target --source-date "$SOURCE_DATE_EPOCH" --output "$out/$name.rpm"
done
if ! wanted windows; then
  :
elif command -v x86_64-w64-mingw32-gcc >/dev/null; then
  target=x86_64-pc-windows-gnu name=antrea-cni-$version-windows-amd64
  stage windows $target $name
  mkdir "$stage/docs"
  cp "$CARGO_TARGET_DIR/$target/release/antrea-cni.exe" "$stage/antrea.exe"
  cp "$CARGO_TARGET_DIR/$target/release/antrea-cnictl.exe" "$stage/"
  cp docs/windows.md docs/settings.md docs/errors.md "$stage/docs/"
  cp -r deploy/windows "$stage/"
  python3 dist/zip.py "$out" "$name"
else
  skip windows/amd64 x86_64-w64-mingw32-gcc
fi
(cd "$out" && find . -type f ! -name SHA256SUMS ! -name .commit -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
cat "$out/SHA256SUMS"
[ -n "$skipped" ] || [ "$PLATFORMS" != 'amd64 arm64 arm windows' ] || echo "$commit" >"$out/.commit"
