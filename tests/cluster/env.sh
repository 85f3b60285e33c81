# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: where things are, and how to reach them.
#
#   CLUSTER     the folder that holds everything (target/cluster)
#   NODES       how many nodes (3)
#   KUBERNETES  the version of Kubernetes (the one that control-plane/go.mod pins)
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPOSITORY=$(cd "$HERE/../.." && pwd)
CLUSTER=${CLUSTER:-$REPOSITORY/target/cluster}
mkdir -p "$CLUSTER"
CLUSTER=$(cd "$CLUSTER" && pwd)
NODES=${NODES:-3}
PINNED=$(sed -n 's/^\tk8s\.io\/kubernetes v//p' "$HERE/control-plane/go.mod")
KUBERNETES=${KUBERNETES:-$PINNED}
BUILT=$CLUSTER/built       # kept between runs: programs, a node's files, images
RUNNING=$CLUSTER/running   # of the cluster that runs: certificates, nodes' disks, logs
COMPONENTS=$BUILT/kubernetes-$KUBERNETES
# Begins the name of each cgroup of this cluster: their tree is the whole machine's.
CGROUP=antrea-cni-cluster-$(printf '%s' "$CLUSTER" | sha256sum | cut -c1-6)
export HERE REPOSITORY CLUSTER NODES PINNED KUBERNETES BUILT RUNNING COMPONENTS CGROUP

die() { echo "FAILED: $*" >&2; exit 1; }
# The control plane is 10.99.0.1, node n1 is 10.99.0.11; its Pods are 10.244.1.2 to 10.244.1.254.
nodes() { seq -f n%g "$NODES"; }
address_of() { echo "10.99.0.$((10 + ${1#n}))"; }

# Runs a command in the namespaces of the cluster's first process, or of a node's.
in_cluster() { nsenter -t "$(cat "$RUNNING/init.pid")" -m -p -n -- "$@"; }
in_node() { in_cluster nsenter -t "$(cat "$RUNNING/$1.pid")" -m -p -n -u -r -w -- "${@:2}"; }
