#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the release archives, packages and image of HEAD twice, in folders of different
# names and depth, and compares every byte.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one=$work/a two=$work/some/where/else/antrea
for folder in "$one" "$two"; do
  git clone --quiet . "$folder"
  "$folder/dist/build.sh" "$folder/target/dist" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
done
diff "$one/target/dist/SHA256SUMS" "$two/target/dist/SHA256SUMS"
if [ "$(id -u)" = 0 ] && command -v buildah >/dev/null; then
  for folder in "$one" "$two"; do (cd "$folder" && bash deploy/image.sh target/image); done
  cmp "$one/target/image/digest" "$two/target/image/digest"
else
  echo '*** skipped: the image needs root and buildah ***' >&2
fi
! grep -ao "$work[^ ]*" -r "$one/target/dist" || { echo 'a path of the build is in it' >&2; exit 1; }
bash dist/check-packages.sh "$one/target/dist"
# The same bytes as a build here would have.
rm -rf target/dist
mkdir -p target
cp -r "$one/target/dist" target/dist
cat "$one/target/dist/SHA256SUMS"
echo "reproducible: $(wc -l <"$one/target/dist/SHA256SUMS") files, the same in two folders"
