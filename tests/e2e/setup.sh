#!/bin/bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# setup.sh WORKDIR: make ready, once, what run.py needs. Safe to run again; prints one line per step.
# Debian packages on this machine (with package lists of its own, so that the system's stay as they are), a Python
# environment with grpcio, and a Debian sid tree with containerd 2.x.
# Environment: WITHOUT_SID=1 leaves the sid tree out.
set -euo pipefail
[ $# = 1 ] || { echo "usage: setup.sh WORKDIR" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"; W=$(cd "$1" && pwd)
mkdir -p "$W/bin" "$W/img"
exec 9>"$W/.setup.lock"; flock 9
step() { printf 'setup: %-14s %s\n' "$1" "$2"; }
fail() { step "$1" "FAILED: $2"; failed=1; }
failed=0
[ "$(id -u)" = 0 ] || { echo "setup: needs root" >&2; exit 1; }

# 1. packages of the machine's own suite
mkdir -p "$W/apt/lists/partial" "$W/apt/cache/archives/partial"
O=(-oAcquire::Retries=3 -oDir::State::lists="$W/apt/lists" -oDir::Cache="$W/apt/cache")
updated=0
update() { [ $updated = 1 ] || apt-get "${O[@]}" -qq update > "$W/apt/update.log" 2>&1 || true; updated=1; }
need=()
for p in containerd runc containernetworking-plugins iptables busybox-static debootstrap podman util-linux iproute2 python3-venv; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || need+=("$p")
done
t=$SECONDS
if [ ${#need[@]} = 0 ]; then step packages present
else
  update
  if DEBIAN_FRONTEND=noninteractive apt-get "${O[@]}" -qq install -y --no-install-recommends "${need[@]}" > "$W/apt/install.log" 2>&1
  then step packages "installed ${need[*]} ($((SECONDS - t)) s)"
  else fail packages "apt-get install ${need[*]}, see apt/install.log"; fi
fi

# 2. grpcio
t=$SECONDS
if [ -x "$W/venv/bin/python" ] && "$W/venv/bin/python" -c 'import grpc' 2>/dev/null; then step grpcio present
elif python3 -m venv "$W/venv" > "$W/venv.log" 2>&1 && "$W/venv/bin/python" -m pip install -q --disable-pip-version-check grpcio >> "$W/venv.log" 2>&1
then step grpcio "$("$W/venv/bin/python" -c 'import grpc; print(grpc.__version__)') installed ($((SECONDS - t)) s)"
else fail grpcio "see venv.log"; fi

# 3. the pod image
if python3 "$here/mkimg.py" "$W/img/pod.tar" localhost/e2e/pod:latest /bin/busybox:/bin/busybox -- /bin/sleep 3600; then step image img/pod.tar; else fail image mkimg.py; fi

# 4. the sid tree
t=$SECONDS
if [ -n "${WITHOUT_SID:-}" ]; then step sid "left out"
elif [ -e "$W/sid/.complete" ]; then step sid "present: containerd $(cat "$W/sid/.complete")"
else
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -v security | head -1)
  rm -rf "$W/sid"
  if [ -n "$mirror" ] && debootstrap --variant=minbase --include=containerd,runc,containernetworking-plugins,iptables,ca-certificates sid "$W/sid" "$mirror" > "$W/sid.log" 2>&1
  then
    chroot "$W/sid" dpkg-query -W -f '${Version}' containerd > "$W/sid/.complete"
    rm -rf "$W"/sid/var/cache/apt/archives/*.deb
    step sid "containerd $(cat "$W/sid/.complete") ($((SECONDS - t)) s)"
  else fail sid "no mirror, or debootstrap failed, see sid.log"; fi
fi
[ $failed = 0 ] && touch "$W/.ready"
exit $failed
