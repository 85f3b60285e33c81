#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Images for the nodes, as $CLUSTER/built/images, in no registry: `pause` and `pod` for Pods, `antrea-agent` in several
# generations, ours, and kubectl for the hook of `helm uninstall`. make built the programs before. Beside them $CLUSTER/built/cri-status, a probe of a node's runtime.
set -euo pipefail
. "$(dirname "$0")/env.sh"
shipped=$REPOSITORY/target/dist-build/x86_64-unknown-linux-musl/release
programs=$REPOSITORY/target/x86_64-unknown-linux-musl/test-programs
node=$BUILT/node
layers=$BUILT/layers
rm -rf "$layers" "$BUILT/images"
mkdir -p "$layers"/{pause,pod/bin,pod/tmp,agent,kubectl/bin} "$BUILT/images"
image() { # NAME:TAG LAYER... [-- ENTRYPOINT...]
  local name=${1#*/}
  python3 "$HERE/image.py" "$BUILT/images/${name//:/-}.tar" "$@"
}

(cd "$HERE/pause" && CGO_ENABLED=0 go build -ldflags '-s -w' -o "$layers/pause/pause" main.go)
image localhost/pause:latest "$layers/pause" -- /pause
(cd "$HERE/control-plane" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$BUILT/cri-status" ./cri-status)

busybox() { # FOLDER APPLETS...
  cp "$node/usr/bin/busybox" "$1/"
  for applet in "${@:2}"; do ln -s busybox "$1/$applet"; done
}
busybox "$layers/pod/bin" sh sleep ip ping wget nc httpd cat ls date
image localhost/pod:latest "$layers/pod"

# The cluster's own kubectl, under the name that the chart has for one.
cp "$COMPONENTS/components" "$layers/kubectl/bin/kubectl"
image "$(sed -n 's/^ *image: //p' "$REPOSITORY/deploy/helm/Chart.yaml")" "$layers/kubectl"

# Debian's plugins, and the libraries that they need.
cd "$layers/agent"
mkdir -p bin etc usr/bin opt/cni/bin tmp
busybox bin sh cat rm chmod test sed sleep cmp
cp "$programs/antrea-cni-agent" usr/bin/
cp "$HERE"/agent/{install_cni,install_cni_chaining,start_agent} usr/bin/
chmod 755 usr/bin/*
for it in ptp host-local loopback portmap bandwidth; do cp "$node/usr/lib/cni/$it" opt/cni/bin/; done
ln -s usr/lib lib
ln -s usr/lib64 lib64
for library in $(chroot "$node" ldd /usr/lib/cni/{ptp,host-local,loopback,portmap,bandwidth} | grep -o '/lib[^ ]*\.so[^ :]*' | sort -u); do
  mkdir -p "usr${library%/*}"
  cp -L "$node/usr${library}" "usr$library"
done

generation() { # TAG API CNI-VERSIONS
  local folder=$layers/$1
  mkdir -p "$folder"/{etc,opt/cni/bin}
  echo "--api $2 --cni-versions $3" >"$folder/etc/antrea-agent-options"
  # As Antrea's own plugin, it speaks one API and never waits.
  cp "$programs/examples/one_api_plugin" "$folder/opt/cni/bin/antrea-cni"
  printf '\n%s' "${2%%,*}" >>"$folder/opt/cni/bin/antrea-cni"
  image "localhost/antrea-agent:$1" "$layers/agent" "$folder"
}
# What releases of these numbers serve and accept; v3.0.0 is to come.
generation v1.0.3 vmware 0.1.0,0.2.0,0.3.0,0.3.1,0.4.0
generation v1.8.0 v1beta1 0.1.0,0.2.0,0.3.0,0.3.1,0.4.0
generation v2.7.0 v1beta1 0.1.0,0.2.0,0.3.0,0.3.1,0.4.0,1.0.0,1.1.0
generation v3.0.0 v1,v1beta1 0.1.0,0.2.0,0.3.0,0.3.1,0.4.0,1.0.0,1.1.0

# Ours as `make image` built it, if that is of these programs; otherwise the same files by image.py.
real=$REPOSITORY/target/image
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$REPOSITORY/Cargo.toml" | head -n 1)
if cmp -s "$real/amd64/antrea-cnictl" "$shipped/antrea-cnictl"; then
  python3 "$HERE/name-image.py" "$real/antrea-cni.tar" "example.org/antrea-cni:$version" "$BUILT/images/antrea-cni-$version.tar"
else
  mkdir -p "$layers/ours/licenses"
  cp "$shipped"/{antrea-cni,antrea-cnictl} "$layers/ours/"
  cp "$REPOSITORY/LICENSE" "$layers/ours/licenses/"
  image "example.org/antrea-cni:$version" "$layers/ours" -- /antrea-cnictl
fi
rm -rf "$layers"
