#!/usr/bin/env bash
# Builds the image without a daemon: image.sh FOLDER PLUGIN CTL writes FOLDER/antrea-cni.tar,
# an OCI archive, and prints its size.
set -euo pipefail
folder=$1 plugin=$2 ctl=$3
here=$(cd "$(dirname "$0")" && pwd)
command -v buildah >/dev/null || { echo 'buildah is missing: apt-get install buildah' >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml" | head -n 1)
rm -rf "$folder/context"
mkdir -p "$folder/context/licenses"
cp "$plugin" "$folder/context/antrea-cni"
cp "$ctl" "$folder/context/antrea-cnictl"
cp "$here/../LICENSE" "$folder/context/licenses/"
tools() {
  command buildah --root "$PWD/$folder/storage" --runroot "$PWD/$folder/run" --storage-driver vfs "$@"
}
tools build --isolation chroot --layers=false --timestamp 0 --tag "antrea-cni:$version" \
  --file "$here/Containerfile" "$folder/context" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
rm -f "$folder/antrea-cni.tar"
tools push --quiet "antrea-cni:$version" "oci-archive:$folder/antrea-cni.tar:antrea-cni:$version"
echo "image: $(stat -c %s "$folder/antrea-cni.tar") bytes compressed, $(cat "$folder"/context/antrea-* "$folder"/context/licenses/* | wc -c) bytes in all"
