#!/usr/bin/env bash
# What deploy/ renders to and builds: manifests read as an API server would, the image
# in an empty root, and the init container as the manifest says, on a folder that
# stands for the node's. `make test-deploy`; needs root, Go and Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/target/deploy
deploy=$PWD/deploy
mkdir -p "$out/plain"
passed=0
ok() { passed=$((passed + 1)); echo "ok: $*"; }
die() { echo "FAILED: $*" >&2; exit 1; }

(cd tests/deploy && CGO_ENABLED=0 go build -o "$out/" helm.sh/helm/v3/cmd/helm sigs.k8s.io/kustomize/kustomize/v5 ./validate)

# Manifests
cp tests/deploy/fixture/antrea.yaml "$out/plain/"
echo 'resources: [antrea.yaml]' >"$out/plain/kustomization.yaml"
"$out/kustomize" build "$out/plain" >"$out/before.yaml"
"$out/kustomize" build tests/deploy/fixture >"$out/after.yaml"
"$out/helm" lint --quiet "$deploy/helm"
chart() { "$out/helm" template antrea-cni "$deploy/helm" --namespace kube-system --kube-version 1.34.0 "$@"; }
chart >"$out/install.yaml"
chart --set action=rollback >"$out/rollback.yaml"
chart --set action=uninstall >"$out/uninstall.yaml"
chart --set conflist.name=10-antrea.conflist --set conflist.waitForAgent=10m --set-json \
  'conflist.content="{\"cniVersion\":\"1.1.0\",\"name\":\"antrea\",\"plugins\":[{\"type\":\"antrea\"}]}"' \
  >"$out/conflist.yaml"
! chart --set action=nothing >/dev/null 2>&1 || die 'the chart takes an action that does not exist'
"$out/validate" "$out/before.yaml" "$out/after.yaml" \
  "$out"/{install,rollback,uninstall,conflist}.yaml >"$out/containers"
test "$(wc -l <"$out/containers")" = 5
ok "kustomize: one init container, after install-cni, on Linux only; helm: 4 variants; least privilege"

# Image
archive=target/image/antrea-cni.tar
most=$((6 << 20))
whole=$(cat target/image/context/antrea-* target/image/context/licenses/* | wc -c)
test "$whole" -le "$most" || die "the image is $whole bytes"
ok "image: $whole bytes, $(stat -c %s $archive) in the archive; at most $most"
root=$(mktemp -d)
trap 'rm -rf "$root" "$node" "$storage"' EXIT
node=$(mktemp -d) storage=$(mktemp -d)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cp target/image/context/antrea-cni target/image/context/antrea-cnictl "$root/"
chroot "$root" /antrea-cnictl --version | grep -q "$version"
CNI_COMMAND=VERSION chroot "$root" /antrea-cni </dev/null | grep -q '"supportedVersions"'
ok "both programs start in an empty root"

# The init container, with the arguments and mounts of the rendered manifest
command -v podman >/dev/null || apt-get install -y --no-install-recommends podman >/dev/null
run() { podman --root "$storage/root" --runroot "$storage/run" --storage-driver vfs --cgroup-manager cgroupfs --runtime runc "$@"; }
run load --quiet --input $archive >/dev/null
mkdir -p "$node/opt/cni/bin" "$node/etc/cni/net.d" "$node/var/run/antrea"
printf '#!/bin/sh\n' >"$node/opt/cni/bin/antrea"
chmod 755 "$node/opt/cni/bin/antrea"
container() {
  local -a words
  mapfile -t words < <(sed -n "$1p" "$out/containers" | python3 -c '
import json, sys
container = json.load(sys.stdin)
for mount in container["mounts"]:
    print("--volume", sys.argv[1] + mount["Host"] + ":" + mount["Path"] + (":ro" if mount["ReadOnly"] else ""), sep="\n")
print(sys.argv[2], *container["args"], sep="\n")' "$node" "localhost/antrea-cni:$version")
  run run --rm --read-only --cap-drop=ALL --security-opt=no-new-privileges --network=none --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 "${words[@]}"
}
container 1
CNI_COMMAND=VERSION "$node/opt/cni/bin/antrea" </dev/null | grep -q '"supportedVersions"'
cmp "$node/opt/cni/bin/antrea" target/image/context/antrea-cni
container 1 | grep -q 'is installed already'
ok "the init container installs into the node's folder, and again without a change"
container 4 & stay=$!
until grep -q '/bin/sh' "$node/opt/cni/bin/antrea" 2>/dev/null; do kill -0 $stay; done
run stop --all --time 5 >/dev/null
wait $stay
ok "the chart's uninstall puts back what was there, and ends with SIGTERM"
echo "$passed passed, 0 failed"
