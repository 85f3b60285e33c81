#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# init.sh FD: the first process of the cluster, in mount, network and process namespaces that end
# with it. Starts the control plane and the nodes; FD is a socket that listens on the machine, and
# leads to the API server.
set -euo pipefail
. "$(dirname "$0")/env.sh"
listener=$1
# /proc is still the machine's: this is the pid by which the machine knows this process.
read -r pid _ </proc/self/stat
echo "$pid" >"$RUNNING/init.pid"
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
pki=$RUNNING/pki log=$RUNNING/log

ip link set lo up
ip link add br0 type bridge
ip addr add 10.99.0.1/24 dev br0
ip link set br0 up
sysctl -qw net.ipv4.ip_forward=1

start() { # COMPONENT FLAGS...
  "$COMPONENTS/$1" "${@:2}" >"$log/$1.log" 2>&1 </dev/null &
}

start etcd --data-dir "$RUNNING/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 \
  --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
start kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address 10.99.0.1 --secure-port 6443 \
  --service-cluster-ip-range 10.96.0.0/16 --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
  --allow-privileged --client-ca-file "$pki/ca.crt" \
  --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
  --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key" \
  --kubelet-preferred-address-types InternalIP \
  --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$pki/service-accounts.pub" --service-account-signing-key-file "$pki/service-accounts.key" \
  --requestheader-client-ca-file "$pki/front-proxy.crt" --requestheader-allowed-names front-proxy-client \
  --requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-group-headers X-Remote-Group \
  --requestheader-username-headers X-Remote-User \
  --proxy-client-cert-file "$pki/front-proxy-client.crt" --proxy-client-key-file "$pki/front-proxy-client.key"
# The others end if they come before their rights.
until "$COMPONENTS/kubectl" --kubeconfig "$RUNNING/admin.conf" --server https://10.99.0.1:6443 get --raw /readyz >/dev/null 2>&1; do
  sleep 0.2
done
with() { echo "--kubeconfig $pki/$1.conf --authentication-kubeconfig $pki/$1.conf --authorization-kubeconfig $pki/$1.conf --leader-elect=false"; }
start kube-controller-manager $(with controller-manager) --use-service-account-credentials \
  --root-ca-file "$pki/ca.crt" --service-account-private-key-file "$pki/service-accounts.key" \
  --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key"
start kube-scheduler $(with scheduler)
python3 "$HERE/forward.py" "$listener" 10.99.0.1 6443 >"$log/forward.log" 2>&1 </dev/null &

# A node, and again as soon as its first process is gone: that is a reboot, with the disk kept.
node() {
  while :; do
    # Of the boot before: the kernel removes them in its own time.
    ip link del "$1" 2>/dev/null || :
    ip netns add "$1"
    ip link add "$1" type veth peer name eth0 netns "$1"
    ip link set "$1" master br0 up
    ip -n "$1" addr add "$(address_of "$1")/24" dev eth0
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
    # For a Pod with the node's network that calls the API server's Service: kube-proxy changes the address later.
    ip -n "$1" route add 10.96.0.0/16 via 10.99.0.1
    for other in $(nodes); do
      [ "$other" = "$1" ] || ip -n "$1" route add "10.244.${other#n}.0/24" via "$(address_of "$other")"
    done
    nsenter "--net=/run/netns/$1" unshare --mount --pid --uts --fork --kill-child --propagation private \
      bash "$HERE/node.sh" "$1" >>"$log/$1.log" 2>&1 </dev/null || :
    ip netns del "$1"
    bash "$HERE/remove-cgroups.sh" "$CGROUP-$1"
  done
}
for it in $(nodes); do node "$it" & done
wait
