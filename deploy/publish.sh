#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Pushes image and chart of this version to a registry: publish.sh REGISTRY[/FOLDER]. What it pushed, by
# its digest, is in target/published then.
# Whoever may push is logged in there (buildah login). PLAIN_HTTP=1: without TLS.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=${1:?name a registry: make publish REGISTRY=ghcr.io/OWNER}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
image=target/image/antrea-cni.tar chart=target/dist/antrea-cni-$version.tgz
for built in $image $chart; do
  [ -e $built ] || { echo "there is no $built: make image chart" >&2; exit 1; }
done
buildah --root "$PWD/target/image/storage" --runroot "$PWD/target/image/run" --storage-driver vfs \
  manifest push --quiet --all --digestfile target/image/pushed ${PLAIN_HTTP:+--tls-verify=false} "antrea-cni:$version" "docker://$registry/antrea-cni:$version"
# Where buildah keeps what it was told at the login.
runtime=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/containers}
auth=${REGISTRY_AUTH_FILE:-${runtime:-/run/containers/$(id -u)}/auth.json}
said=$(target/deploy/helm push ${PLAIN_HTTP:+--plain-http} --registry-config "$auth" $chart "oci://$registry/charts" 2>&1) || {
  echo "$said" >&2
  exit 1
}
printf '%s@%s\n' "$registry/antrea-cni" "$(cat target/image/pushed)" \
  "$registry/charts/antrea-cni" "$(sed -n 's/^Digest: //p' <<<"$said")" | tee target/published
