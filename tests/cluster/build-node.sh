#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# A node's files, as $CLUSTER/built/node: Debian sid with the newest containerd that it has.
# debootstrap is unpacked, not installed, where the machine does not have it.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ ! -e "$BUILT/node/.complete" ] || exit 0
packages=containerd,runc,containernetworking-plugins,iptables,iproute2,conntrack,procps,busybox-static
uri() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1; }
mirror=$(uri)
[ -n "$mirror" ] || { apt-get update -qq; mirror=$(uri); }
rm -rf "$BUILT"/{node,debootstrap}
mkdir -p "$BUILT/debootstrap"
cd "$BUILT/debootstrap"
apt-get -o Acquire::Retries=3 download -qq debootstrap debian-archive-keyring
for package in *.deb; do dpkg-deb -x "$package" .; done
# debootstrap has a meaning of its own for COMPONENTS.
env -u COMPONENTS DEBOOTSTRAP_DIR=$PWD/usr/share/debootstrap usr/sbin/debootstrap --variant=minbase --include=$packages \
  --keyring="$PWD/usr/share/keyrings/debian-archive-keyring.gpg" sid "$BUILT/node" "$mirror"
cd "$BUILT"
rm -rf debootstrap node/var/cache/apt/* node/var/lib/apt/lists/* node/usr/share/{doc,man,locale}/*
chroot node dpkg-query -W -f '${Version}' containerd >node/.complete
