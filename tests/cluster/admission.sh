#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# admission.sh FOLDER: what the API server says of what deploy/ renders to: the chart with each preset and each action, and
# Antrea's DaemonSet with each kustomize component, in a server-side dry run; and the chart in a namespace that enforces
# the PodSecurity level `baseline`, where its Pods are refused. Called with the cluster's environment (tools.py).
set -euo pipefail
. "$(dirname "$0")/env.sh"
work=$1
deploy=$REPOSITORY/deploy
rm -rf "$work"
mkdir -p "$work"
cd "$work"
taken=0
takes() { # NAME, of a file of objects
  kubectl apply --server-side --dry-run=server --field-manager=admission --force-conflicts --filename "$1" >said 2>&1 ||
    { cat said; die "the API server refuses $1"; }
  ! grep -i warning said || die "the API server warns of $1"
  taken=$((taken + 1))
}
# The Pod of `helm test` needs a ServiceAccount that is there.
chart() { helm template antrea-cni "$deploy/helm" --namespace kube-system --validate --skip-tests "$@"; }

for action in install rollback uninstall; do
  chart --set "action=$action" >"$action.yaml"
  takes "$action.yaml"
done
for preset in "$deploy"/helm/values-*.yaml; do
  chart --values "$preset" --set metricsDir=/var/lib/node_exporter >preset.yaml
  takes preset.yaml
done
# In a namespace of its own, where no other Antrea is.
kubectl create namespace admission >/dev/null
for fixture in encap network-policy-only network-policy-only-null; do
  mkdir "$fixture"
  cp "$REPOSITORY/tests/deploy/fixture/$fixture.yaml" "$fixture/antrea.yaml"
  cp -r "$deploy"/kustomize/*/ "$fixture/"
  cat >"$fixture/kustomization.yaml" <<YAML
namespace: admission
resources: [antrea.yaml]
components: [${fixture%-null}]
images: [{name: antrea-cni, newName: example.org/antrea-cni, newTag: 0.1.0}]
YAML
  kubectl kustomize "$fixture" >"$fixture.yaml"
  takes "$fixture.yaml"
done

# A namespace that is not for such Pods: the DaemonSet is made, with a warning, and its Pods are not.
kubectl create namespace baseline >/dev/null
kubectl label namespace baseline pod-security.kubernetes.io/enforce=baseline >/dev/null
helm install antrea-cni "$deploy/helm" --namespace baseline >said 2>&1
kubectl -n baseline wait --for=jsonpath='{.status.desiredNumberScheduled}'="$NODES" --timeout=60s daemonset/antrea-cni >/dev/null
refused() { kubectl -n baseline get events --field-selector reason=FailedCreate -o jsonpath='{.items[0].message}' 2>/dev/null; }
for _ in $(seq 300); do [ -z "$(refused)" ] || break; sleep 0.1; done
refused | grep -q 'violates PodSecurity "baseline' || die "no word of PodSecurity: $(refused)"
refused >refusal
test -z "$(kubectl -n baseline get pod -o name)" || die 'a Pod was made'
! kubectl -n baseline rollout status daemonset/antrea-cni --timeout=2s >/dev/null 2>&1 || die 'rolled out without Pods'
# No node has anything to put back, and the hook's Pod may not run there.
helm uninstall antrea-cni --namespace baseline --no-hooks >/dev/null
kubectl delete namespace admission baseline --wait=false >/dev/null
echo "$taken manifests taken; in a namespace with baseline enforced: $(cat refusal)"
