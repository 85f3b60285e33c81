#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Where the time of an ADD goes that v1beta1 answers: `make perf`. Needs perf, gcc, Go and Python.
set -euo pipefail
cd "$(dirname "$0")/.."
calls=3000 rate=15000 target=x86_64-unknown-linux-musl
work=$(mktemp -d)
trap 'kill $agent; rm -rf "$work"' EXIT
cargo --config profile.release.strip=false build --release -p antrea-cni --bin antrea-cni \
  --target $target --target-dir target/perf
cp target/perf/$target/release/antrea-cni "$work/antrea"
gcc -O2 -o "$work/runner" benches/invocation/runner.c
(cd tests/interop/go && CGO_ENABLED=0 go build -o "$work/agent" ./agent)
"$work/agent" "$work/cni.sock" antrea_io.antrea.pkg.apis.cni.v1beta1 /dev/null >"$work/version" &
agent=$!
until [ -S "$work/cni.sock" ]; do kill -0 $agent; done
touch "$work/netns"
printf '{"antreaCni":{"socket":"%s"},"cniVersion":"0.3.0","name":"antrea","type":"antrea"}' \
  "$work/cni.sock" >"$work/stdin"
printf '%s\n' "$work/stdin" =CNI_COMMAND=ADD =CNI_CONTAINERID=c0ffee "=CNI_NETNS=$work/netns" \
  =CNI_IFNAME=eth0 =CNI_PATH=/opt/cni/bin "$work/antrea" >"$work/programs"
perf record -q -g -e cpu-clock -F $rate -o "$work/data" \
  "$work/runner" rounds $calls "$work/programs" 2>"$work/samples"
awk '$7 { exit 1 }' "$work/samples" || { echo 'calls failed' >&2; exit 1; }
perf script -i "$work/data" --comm antrea 2>/dev/null | python3 benches/perf.py $calls $rate
