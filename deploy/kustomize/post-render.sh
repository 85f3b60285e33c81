#!/bin/sh
# Adds the plugin to what Antrea's own Helm chart renders:
#
#   helm upgrade --install antrea antrea/antrea --namespace kube-system \
#     --post-renderer deploy/kustomize/post-render.sh \
#     --post-renderer-args encap --post-renderer-args example.org/antrea-cni:0.1.0
#
# The first argument is `encap`, or `network-policy-only` with
# trafficEncapMode=networkPolicyOnly; the second the image; further ones, KEY=VALUE, are
# settings of the plugin. Needs kustomize, or kubectl.
set -eu
mode=$1 image=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
test -f "$here/$mode/kustomization.yaml" || { echo "no component $mode: encap or network-policy-only" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$here/encap" "$here/network-policy-only" "$here/keeper" "$folder/"
cat >"$folder/rendered.yaml"
{
  echo "resources: [rendered.yaml]"
  echo "components: [$mode]"
  echo "images: [{name: antrea-cni, newName: '${image%:*}', newTag: '${image##*:}'}]"
  if [ $# -gt 0 ]; then
    echo "configMapGenerator:"
    echo "  - name: antrea-cni-settings"
    echo "    namespace: kube-system"
    echo "    literals:"
    for setting; do echo "      - '$setting'"; done
  fi
} >"$folder/kustomization.yaml"
if command -v kustomize >/dev/null; then kustomize build "$folder"; else kubectl kustomize "$folder"; fi
