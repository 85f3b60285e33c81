#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# etcd, Kubernetes and kubectl as one program, and a link for each name that it is started by, as
# $CLUSTER/built/kubernetes-VERSION. Another version than the pinned one is pinned in a copy of
# control-plane/ by what the go.mod of that version says.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ ! -x "$COMPONENTS/kubectl" ] || exit 0
export CGO_ENABLED=0 GOTOOLCHAIN=local
mkdir -p "$COMPONENTS"
source=$HERE/control-plane
minor=${KUBERNETES#1.} minor=${minor%%.*}

if [ "$KUBERNETES" != "$PINNED" ]; then
  source=$COMPONENTS/source
  rm -rf "$source"
  mkdir -p "$source"
  cp "$HERE/control-plane/main.go" "$source/"
  cd "$source"
  theirs=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | python3 -c 'import json, sys; print(json.load(sys.stdin)["GoMod"])')
  etcd=$(sed -n 's/^\tgo\.etcd\.io\/etcd\/client\/v3 \(v[^ ]*\).*/\1/p' "$theirs")
  {
    printf 'module antrea-cni/cluster/control-plane\n\n'
    grep '^go ' "$theirs"
    printf 'require go.etcd.io/etcd/server/v3 %s\n' "$etcd"
    printf 'require k8s.io/kubernetes v%s\n' "$KUBERNETES"
    sed -n 's/^\t\(k8s\.io\/[^ ]*\) => \.\/.*/\1/p' "$theirs" |
      while read -r staged; do echo "replace $staged => $staged v0.${KUBERNETES#1.}"; done
  } >go.mod
  go mod tidy
fi

cd "$source"
version=k8s.io/component-base/version
go build -trimpath -buildvcs=false -o "$COMPONENTS/components" -ldflags "-s -w -X $version.gitVersion=v$KUBERNETES \
  -X $version.gitMajor=1 -X $version.gitMinor=$minor -X $version.gitTreeState=clean" .
for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
  ln -sf components "$COMPONENTS/$name"
done
