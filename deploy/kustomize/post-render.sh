#!/bin/sh
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Adds the plugin to what Antrea's own Helm chart renders:
#
#   helm upgrade --install antrea antrea/antrea --namespace kube-system \
#     --post-renderer deploy/kustomize/post-render.sh \
#     --post-renderer-args encap --post-renderer-args example.org/antrea-cni:0.1.0
#
# The first argument is `encap`, or `network-policy-only` with
# trafficEncapMode=networkPolicyOnly; the second the image, with a tag, a digest, both or none;
# further ones, KEY=VALUE, are settings of the plugin. Needs kustomize, or kubectl.
set -eu
wrong() {
  printf '%s\n' "$1" >&2
  echo "usage: post-render.sh encap|network-policy-only IMAGE [KEY=VALUE]... <MANIFEST
Reads what Antrea's chart renders, and writes it with the plugin added: give this script to
helm as --post-renderer, and each argument with a --post-renderer-args of its own." >&2
  exit 2
}
case ${1-} in
  encap | network-policy-only) mode=$1 ;;
  '') wrong 'The mode and the image are missing.' ;;
  *) wrong "There is no mode $1." ;;
esac
image=${2-}
case $image in
  '') wrong 'The image is missing.' ;;
  *[!A-Za-z0-9._:/@-]* | [!A-Za-z0-9]* | *[!A-Za-z0-9]) wrong "$image is not the name of an image." ;;
esac
shift 2
for setting; do
  case $setting in
    [A-Za-z]*=*) ;;
    *) wrong "$setting is not KEY=VALUE." ;;
  esac
  case ${setting%%=*} in *[!A-Za-z0-9]*) wrong "There is no setting ${setting%%=*}." ;; esac
done
name=${image%%@*} tag='' digest=''
[ "$name" = "$image" ] || digest=${image#*@}
# A colon before the last slash is that of a port.
case ${name##*/} in *:*) tag=${name##*:} name=${name%:*} ;; esac
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$here"/*/ "$folder/"
cat >"$folder/rendered.yaml"
{
  echo "resources: [rendered.yaml]"
  echo "components: [$mode]"
  echo "images:"
  echo "  - name: antrea-cni"
  echo "    newName: '$name'"
  [ -z "$tag" ] || echo "    newTag: '$tag'"
  [ -z "$digest" ] || echo "    digest: '$digest'"
  if [ $# -gt 0 ]; then
    mkdir "$folder/settings"
    echo "configMapGenerator:"
    echo "  - name: antrea-cni-settings"
    echo "    namespace: kube-system"
    # Files, as kustomize cuts quotes off literals.
    echo "    files:"
    for setting; do
      printf '%s' "${setting#*=}" >"$folder/settings/${setting%%=*}"
      echo "      - settings/${setting%%=*}"
    done
  fi
} >"$folder/kustomization.yaml"
if command -v kustomize >/dev/null; then kustomize build "$folder"; else kubectl kustomize "$folder"; fi
