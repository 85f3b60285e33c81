#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# guide.sh FOLDER: pastes the blocks of docs/operations.md that are for a fleet (```shell), in their order, into a shell
# that has kubectl, helm and antrea-cnictl. Between them Pods start where the guide says so, and what it promises is
# looked for. Called with the cluster's environment (tools.py), and with ROOT_n1 and so on, where the nodes' files are.
set -euo pipefail
. "$(dirname "$0")/env.sh"
work=$1
guide=$REPOSITORY/docs/operations.md
rm -rf "$work"
mkdir -p "$work"
awk -v folder="$work" '/^```shell$/ {n++; on=1; next} /^```/ {on=0} on {print >(folder "/block-" sprintf("%02d", n))}' "$guide"
blocks=("$work"/block-*)
# The first is for a fleet on which section 3 is done.
mapfile -t blocks < <(printf '%s\n' "${blocks[@]:1:2}" "${blocks[0]}" "${blocks[@]:3}")
ln -s "$REPOSITORY/deploy" "$work/deploy"
cd "$work"

root_of() { local it=ROOT_$1; echo "${!it}"; }
plugins() { for node in $(nodes); do sha256sum <"$(root_of "$node")/opt/cni/bin/antrea"; done; }
a_pod_on_each_node() {
  for node in $(nodes); do
    kubectl run "guide-$node" --image localhost/pod:latest --image-pull-policy Never --restart Never \
      --overrides '{"spec": {"nodeName": "'"$node"'", "terminationGracePeriodSeconds": 1}}' -- sleep 1000
  done
  kubectl wait --for=condition=Ready --timeout=60s $(nodes | sed 's/^/pod\/guide-/')
  kubectl delete pod $(nodes | sed 's/^/guide-/')
}
metrics_are_there() {
  for node in $(nodes); do
    file=$(root_of "$node")/var/lib/node_exporter/antrea_cni-antrea.prom
    timeout 90 sh -c 'until [ -s "$1" ]; do sleep 0.2; done' sh "$file" || die "$node: the keeper writes no metrics"
    cat "$file" >metrics
    for metric in $(sed -n 's/^| `\(antrea_cni_[a-z_]*\)` .*/\1/p' "$guide"); do
      grep -q "^# TYPE $metric " metrics || die "$node: the keeper writes no $metric"
    done
    grep -q '^antrea_cni_calls_total{plugin="antrea",command="ADD",.*code="0"} [1-9]' metrics || die "$node: no ADD is counted"
  done
}

plugins >before
for block in "${blocks[@]}"; do
  bash -euo pipefail "$block" >"$block.said" 2>&1 || { cat "$block" "$block.said"; die "${block##*/} of the guide"; }
  ! grep -q 'settings.logLevel' "$block" || a_pod_on_each_node >"$block.pods" 2>&1 || { cat "$block.pods"; die 'no Pods'; }
  ! grep -q 'metricsDir' "$block" || metrics_are_there
done
# What the last blocks should leave
for node in $(nodes); do
  grep -q "$node" fleet.html || die "fleet.html does not have $node"
  grep -q '"cniVersion": "1.0.0"' "$(root_of "$node")/etc/cni/net.d/10-antrea.conflist" || die "$node has the old list"
done
plugins >after
diff before after || die 'another plugin than before'
test -z "$(helm --namespace kube-system list --short)" || die 'a release is left'
a_pod_on_each_node >pods 2>&1 || { cat pods; die 'no Pods after all'; }
echo "${#blocks[@]} blocks for a fleet, on $NODES nodes"
