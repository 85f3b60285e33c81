#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Builds the image without a daemon: image.sh FOLDER writes FOLDER/antrea-cni.tar, an OCI
# archive with an index of linux/amd64, linux/arm64 and linux/arm/v7, from what `make dist`
# built, and prints the sizes. SOURCE=URL: where the image says that it comes from.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
command -v buildah >/dev/null || { echo 'buildah is missing: apt-get install buildah' >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml" | head -n 1)
rm -rf "$folder"
mkdir -p "$folder"
tools() {
  command buildah --root "$PWD/$folder/storage" --runroot "$PWD/$folder/run" --storage-driver vfs "$@"
}
quietly() { "$@" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }; }
quietly tools manifest create "antrea-cni:$version"
for platform in amd64 arm64 arm/v7; do
  arch=${platform%/*} built=$here/../target/dist/antrea-cni-$version-linux-${platform%/*}
  context=$folder/$arch
  mkdir -p "$context/licenses"
  cp -r "$built"/{antrea-cni,antrea-cnictl,sbom} "$context/"
  cp "$built/LICENSE" "$context/licenses/"
  quietly tools build --isolation chroot --layers=false --timestamp 0 --platform "linux/$platform" \
    --label org.opencontainers.image.title=antrea-cni --label "org.opencontainers.image.version=$version" \
    --label org.opencontainers.image.licenses=Apache-2.0 ${SOURCE:+--label "org.opencontainers.image.source=$SOURCE"} \
    --label 'org.opencontainers.image.description=CNI plugin of Antrea for agents of every release' \
    --tag "antrea-cni:$version-$arch" --file "$here/Containerfile" "$context"
  variant=()
  [ "$platform" = "$arch" ] || variant=(--variant "${platform#*/}")
  quietly tools manifest add --os linux --arch "$arch" "${variant[@]}" "antrea-cni:$version" "antrea-cni:$version-$arch"
  echo "linux/$platform: $(cat "$context"/{antrea-*,licenses/*,sbom/*} | wc -c) bytes"
done
tools manifest push --quiet --all "antrea-cni:$version" "oci-archive:$folder/antrea-cni.tar:antrea-cni:$version" >/dev/null
index=$(tar -xOf "$folder/antrea-cni.tar" index.json | grep -o 'sha256:[0-9a-f]*' | head -n 1)
echo "$index" >"$folder/digest"
echo "image: $(stat -c %s "$folder/antrea-cni.tar") bytes in the archive, $index"
