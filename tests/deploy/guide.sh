#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Pastes the blocks of docs/operations.md that are for a fleet (```shell). The fleet is one
# node in a folder: helm is the real one, and podman runs the container that the chart
# describes, with its arguments, mounts and limits. kubectl is a function that knows the
# guide's forms, as there is no API server. An agent listens on the node.
# Called by run.sh, with the function run (podman) and the variables out, node and version.
set -euo pipefail
work=$(mktemp -d) folder=$node
trap 'run stop --all --time 1 >/dev/null 2>&1; kill ${agent:-} 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$folder"/{opt/cni/bin,etc/cni/net.d,var/run/antrea,var/log/antrea,var/lib/node_exporter,proc}
echo '{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea","ipam":{"type":"host-local"}}]}' \
  >"$folder/etc/cni/net.d/10-antrea.conflist"
# What Antrea put there: another build, which works.
cp target/image/amd64/antrea-cni "$folder/opt/cni/bin/antrea"
echo >>"$folder/opt/cni/bin/antrea"
cp "$folder/opt/cni/bin/antrea" "$work/before"
target/release/antrea-cni-agent --socket "$folder/var/run/antrea/cni.sock" --api v1beta1 >"$work/agent" 2>&1 & agent=$!
until [ -S "$folder/var/run/antrea/cni.sock" ]; do kill -0 $agent; sleep 0.05; done

start() { # of the DaemonSet's Pod
  run rm --force --time 5 antrea-cni >/dev/null 2>&1 || true
  local -a words
  mapfile -t words < <(python3 -c '
import json, sys
container = json.load(open(sys.argv[3]))
for mount in container["mounts"]:
    print("--volume", sys.argv[1] + mount["Host"] + ":" + mount["Path"] + (":ro" if mount["ReadOnly"] else ""), sep="\n")
print(sys.argv[2], *container["args"], sep="\n")' "$folder" "localhost/antrea-cni:$version" "$work/container")
  run run --detach --name antrea-cni --read-only --cap-drop=ALL --cap-add=DAC_OVERRIDE --security-opt=no-new-privileges \
    --network=none --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 "${words[@]}" >/dev/null
}
helm() { # install|upgrade|uninstall NAME [CHART FLAGS]
  local verb=$1 flag
  if [ "$verb" = uninstall ]; then
    run rm --force --time 5 antrea-cni >/dev/null
    return
  fi
  [ "$verb" != install ] || : >"$work/values"
  for flag in "${@:4}"; do
    # What was set before stays: it is all in the file.
    [ "$flag" = --reuse-values ] || echo "$flag" >>"$work/values"
  done
  mapfile -t flags <"$work/values"
  "$out/helm" template "$2" "$3" --kube-version 1.34.0 "${flags[@]}" >"$work/rendered"
  "$out/validate" chart "$work/rendered" >"$work/container"
  start
}
is_done() { # as the readiness probe says; an uninstall has none
  if grep -q '"args":\["uninstall"' "$work/container"; then
    cmp -s "$folder/opt/cni/bin/antrea" "$work/before" && test ! -e "$folder/opt/cni/bin/.antrea.cnictl"
  else
    run exec antrea-cni /antrea-cnictl status >/dev/null 2>&1
  fi
}
kubectl() {
  test "$1 $2" = '-n kube-system' || { echo "kubectl $*: not a form that is known" >&2; return 1; }
  shift 2
  case "$*" in
    'get pod'*jsonpath*) echo node-1 ;;
    'get pod '*) echo pod/antrea-cni-1 ;;
    'get daemonset antrea-agent '*jsonpath*) echo antrea-config-f57c9g4m6m ;;
    'get configmap antrea-config-f57c9g4m6m '*) cat "$folder/etc/cni/net.d/10-antrea.conflist" ;;
    'create configmap antrea-config-f57c9g4m6m --from-file=antrea-cni.conflist --dry-run=client -o yaml')
      python3 -c 'import json; print(json.dumps({"data": {"antrea-cni.conflist": open("antrea-cni.conflist").read()}}))' ;;
    'patch configmap antrea-config-f57c9g4m6m --type merge --patch-file patch.yaml')
      python3 -c 'import json; print(json.load(open("patch.yaml"))["data"]["antrea-cni.conflist"], end="")' >"$work/config-map" ;;
    # Antrea's install-cni
    'rollout restart daemonset/antrea-agent') cp "$work/config-map" "$folder/etc/cni/net.d/10-antrea.conflist" ;;
    'rollout status daemonset/antrea-agent') ;;
    'rollout status daemonset/antrea-cni')
      for _ in $(seq 100); do
        ! is_done || return 0
        sleep 0.1
      done
      echo 'the Pod is never ready' >&2
      return 1 ;;
    'exec '*' -- '*) run exec antrea-cni "${@:4}" ;;
    *) echo "kubectl $*: not a form that is known" >&2; return 1 ;;
  esac
}
antrea-cnictl() { "$tool" "$@"; }

guide=$PWD/docs/operations.md metrics=0 left=
awk -v folder="$work" '/^```shell$/ {n++; on=1; next} /^```/ {on=0} on {print >(folder "/block-" sprintf("%02d", n))}' "$guide"
blocks=("$work"/block-*)
# The first is for a fleet on which section 3 is done.
mapfile -t blocks < <(printf '%s\n' "${blocks[@]:1:2}" "${blocks[0]}" "${blocks[@]:3}")
export -f run start helm is_done kubectl antrea-cnictl
export work folder tool=$PWD/target/image/amd64/antrea-cnictl
# What the release archive has, as seen from where it is unpacked.
ln -s "$PWD/deploy" "$work/deploy"
cd "$work"
for block in "${blocks[@]}"; do
  if grep -q 'helm install .*action=uninstall' "$block"; then
    # What the kustomize component leaves, once Antrea's installer wrote its plugin again.
    "$tool" install --bin-dir "$folder/opt/cni/bin" --set logLevel=error >/dev/null
    cp --remove-destination "$work/before" "$folder/opt/cni/bin/antrea"
    left=$folder/opt/cni/bin/.antrea.json
    test -e "$left"
  fi
  if ! bash -euo pipefail "$block" >"$work/said" 2>&1; then
    cat "$block" "$work/said" >&2
    exit 1
  fi
  if grep -q 'settings.logFile' "$block"; then
    # A Pod, as the node's runtime would start it, so that there is something in the log.
    echo '{"cniVersion":"0.3.0","name":"antrea","type":"antrea","ipam":{"type":"host-local"}}' | CNI_COMMAND=ADD \
      CNI_CONTAINERID=c1 CNI_NETNS=/proc/1/ns/net CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin unshare -m sh -c \
      'mount -t proc proc "$1/proc" && exec chroot "$1" /opt/cni/bin/antrea' sh "$folder" >"$work/result"
    grep -q '"cniVersion"' "$work/result"
  fi
  if grep -q 'metricsDir' "$block"; then
    written=$folder/var/lib/node_exporter/antrea_cni-antrea.prom
    for _ in $(seq 100); do [ ! -s "$written" ] || break; sleep 0.1; done
    for metric in $(sed -n 's/^| `\(antrea_cni_[a-z_]*\)` .*/\1/p' "$guide"); do
      grep -q "^# TYPE $metric " "$written" || { echo "the keeper writes no $metric" >&2; exit 1; }
      metrics=$((metrics + 1))
    done
    grep -q '^antrea_cni_calls_total{plugin="antrea",command="ADD",.*code="0"} 1$' "$written"
  fi
done
test "$metrics" -gt 0
test -n "$left" && test ! -e "$left" && test ! -e "$folder/var/lib/node_exporter/antrea_cni-antrea.prom"
grep -q node-1 "$work/fleet.html"
grep -q '"cniVersion": "1.0.0"' "$folder/etc/cni/net.d/10-antrea.conflist"
cmp "$folder/opt/cni/bin/antrea" "$work/before"
echo "${#blocks[@]}"
