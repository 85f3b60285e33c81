#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Writes the krew manifest of the archives of kubectl.sh in OUT, as OUT/antrea-cni.yaml: krew.sh OUT SOURCE.
# SOURCE is the address of the repository, below whose releases the archives will be.
# https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/
set -euo pipefail
out=$1 source=$2
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml" | head -n 1)
{
  cat <<YAML
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: antrea-cni
spec:
  version: v$version
  homepage: $source
  shortDescription: Show the CNI plugin antrea-cni on all nodes
  description: |
    Runs antrea-cnictl in the Pod that antrea-cni has on each node, and shows the answers together:
    what is installed, which release and API the agent has, whether a Pod could be connected, the
    plugin's log, and all nodes on one page.
  platforms:
YAML
  for archive in "$out"/kubectl-antrea_cni-"$version"-*.zip; do
    name=$(basename "$archive" .zip)
    platform=${name#kubectl-antrea_cni-"$version"-}
    suffix=$([ "${platform%-*}" != windows ] || echo .exe)
    cat <<YAML
  - selector:
      matchLabels:
        os: ${platform%-*}
        arch: ${platform#*-}
    uri: $source/releases/download/v$version/$name.zip
    sha256: $(sha256sum "$archive" | cut -d ' ' -f 1)
    bin: kubectl-antrea_cni$suffix
    files:
    - from: $name/kubectl-antrea_cni$suffix
      to: .
    - from: $name/LICENSE
      to: .
YAML
  done
} >"$out/antrea-cni.yaml"
