#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# node.sh NAME: the first process of a node. Makes the node's tree (Debian sid, and a disk of its own
# above it) its root, and keeps containerd, kube-proxy and kubelet running there.
set -euo pipefail
. "$(dirname "$0")/env.sh"
name=$1
disk=$RUNNING/$name
root=$disk/root
read -r pid _ </proc/self/stat
echo "$pid" >"$RUNNING/$name.pid"
hostname "$name"

# The node sees of each hierarchy of cgroups what lies below one of its own, so that what its containers leave is known.
cgroups() {
  local own hierarchy file
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then # version 2
    own=/sys/fs/cgroup/$CGROUP-$name
    sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
    mkdir -p "$own"
    mount --bind "$own" "$root/sys/fs/cgroup"
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  for hierarchy in /sys/fs/cgroup/*; do
    if [ -L "$hierarchy" ]; then
      cp -P "$hierarchy" "$root/sys/fs/cgroup/"
      continue
    fi
    # Beside the hierarchies there may be folders of nothing, where systemd was started.
    [ -e "$hierarchy/cgroup.procs" ] || continue
    own=$hierarchy/$CGROUP-$name
    mkdir -p "$own" "$root$hierarchy"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$own/$file" ] || cat "$hierarchy/$file" >"$own/$file"
    done
    mount --bind "$own" "$root$hierarchy"
  done
}

mkdir -p "$disk"/{above,work,root,containerd,kubelet,sysctl}
mount -t overlay overlay -o "lowerdir=$BUILT/node,upperdir=$disk/above,workdir=$disk/work" "$root"
mkdir -p "$root"/{built,pki,log,opt/cni/bin,etc/cni/net.d,etc/containerd,lib/modules,var/lib/containerd,var/lib/kubelet}
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
cgroups
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root"/run/{netns,lock}
# Container images and Pods' volumes cannot lie on an overlay.
mount --bind "$disk/containerd" "$root/var/lib/containerd"
mount --bind "$disk/kubelet" "$root/var/lib/kubelet"
mount --bind "$BUILT" "$root/built"
mount --bind "$RUNNING/pki" "$root/pki"
mount --bind "$RUNNING/log" "$root/log"
# kubelet wants these values, and they are the whole machine's: it is shown files that have them.
for it in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=$disk/sysctl/${it//[\/=]/-}
  echo "${it#*=}" >"$file"
  mount --bind "$file" "$root/proc/sys/${it%=*}"
done
sysctl -qw net.ipv4.ip_forward=1
echo "$name" >"$root/etc/hostname"
echo "127.0.0.1 localhost $name" >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
# restrict_oom_score_adj: root of a container may not make a process less likely to be killed.
cat >"$root/etc/containerd/config.toml" <<'TOML'
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "localhost/pause:latest"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/opt/cni/bin"]
    conf_dir = "/etc/cni/net.d"
TOML
cat >"$root/etc/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /pki/ca.crt}}
authorization: {mode: Webhook}
# Of no server: nothing here asks for a name, and without it each Pod has a warning.
clusterDNS: [10.96.0.10]
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
# What a machine allows whose cgroups are of version 1, or not all its own
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
localStorageCapacityIsolation: false
evictionHard: {memory.available: 10Mi, nodefs.available: "1%", imagefs.available: "1%"}
featureGates: {KubeletInUserNamespace: true}
YAML
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l /.old
# So that what is mounted later reaches the Pods that mount it.
mount --make-rshared /
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /
containerd >"/log/$name-containerd.log" 2>&1 &
until ctr version >/dev/null 2>&1; do sleep 0.2; done
if [ ! -e /var/lib/containerd/.imported ]; then
  for image in /built/images/*.tar; do ctr -n k8s.io image import --local "$image"; done
  touch /var/lib/containerd/.imported
fi
components=/built/kubernetes-$KUBERNETES
keep() { # LOG PROGRAM FLAGS...
  while :; do "${@:2}" >>"/log/$name-$1.log" 2>&1 || sleep 1; done
}
keep kube-proxy "$components/kube-proxy" --kubeconfig /pki/proxy.conf --hostname-override "$name" \
  --proxy-mode iptables --cluster-cidr 10.244.0.0/16 --conntrack-max-per-core 0 --conntrack-min 0 &
keep kubelet "$components/kubelet" --config /etc/kubelet.yaml --kubeconfig "/pki/$name.conf" \
  --hostname-override "$name" --node-ip "$(address_of "$name")" --cert-dir /var/lib/kubelet/pki
