#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the release archives and packages of HEAD for PLATFORMS (amd64 windows) once more, in a folder of another
# name and depth, and compares every byte with what `make dist` built here. So with the image, which is made there of
# what was built there, and for the other architectures of what was built here.
set -euo pipefail
cd "$(dirname "$0")/.."
git diff --stat --exit-code HEAD >&2 || { echo 'the tree is not that of HEAD: commit first' >&2; exit 1; }
# Beside this tree: GNU ld orders the imports of a program for Windows by the names of files, those of
# the tree and those of the system, so that a tree below /usr or after it makes other bytes.
work=$(mktemp -d -p "$(dirname "$PWD")")
trap 'rm -rf "$work"' EXIT
here=$PWD there=$work/some/where/else/antrea
dist/build.sh target/dist >/dev/null
git clone --quiet . "$there"
PLATFORMS=${PLATFORMS:-amd64 windows} "$there/dist/build.sh" "$there/target/dist" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
differ=$(LC_ALL=C sort "$there/target/dist/SHA256SUMS" | comm -23 - <(LC_ALL=C sort "$here/target/dist/SHA256SUMS"))
[ -z "$differ" ] || { echo "not as it was built here: $differ" >&2; exit 1; }
files=$(wc -l <"$there/target/dist/SHA256SUMS")
if [ "$(id -u)" = 0 ] && command -v buildah >/dev/null; then
  for built in "$here"/target/dist/antrea-cni-*-linux-*/; do
    [ -d "$there/target/dist/$(basename "$built")" ] || cp -r "$built" "$there/target/dist/"
  done
  for folder in "$here" "$there"; do (cd "$folder" && bash deploy/image.sh target/image); done
  cmp "$here/target/image/digest" "$there/target/image/digest"
else
  echo '*** skipped: the image needs root and buildah ***' >&2
fi
! grep -ao "$work[^ ]*" -r "$there/target/dist" || { echo 'a path of the build is in it' >&2; exit 1; }
# The suites ran on the programs that are in the archives.
for program in target/dist-build/*/release/antrea-cni{,ctl}{,.exe}; do
  [ ! -e "$program" ] || grep -q "^$(sha256sum <"$program" | cut -d ' ' -f 1)" target/dist/SHA256SUMS || { echo "$program is in no archive" >&2; exit 1; }
done
bash dist/check-packages.sh target/dist
cat target/dist/SHA256SUMS
echo "reproducible: $files of $(wc -l <target/dist/SHA256SUMS) files were built in two folders, and are the same"
