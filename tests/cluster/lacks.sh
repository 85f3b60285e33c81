#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Prints what this machine lacks for a cluster, and ends with 1; with 0 if it lacks nothing.
set -euo pipefail
. "$(dirname "$0")/env.sh"
lacks=()
[ "$(id -u)" = 0 ] || lacks+=(root)
for it in python3:Python openssl:openssl ip:iproute2 unshare:util-linux apt-get:Debian; do
  command -v "${it%%:*}" >/dev/null || lacks+=("${it#*:}")
done
needed=$(sed -n 's/^go //p' "$HERE/control-plane/go.mod")
found=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || true
printf '%s\n' "$needed" "$found" | sort -VC || lacks+=("Go $needed")
# A node's containers need cgroups that can be made, and namespaces.
writable() { local probe=$1/antrea-cni-probe-$$; mkdir "$probe" 2>/dev/null && rmdir "$probe"; }
writable /sys/fs/cgroup/memory || writable /sys/fs/cgroup || lacks+=('cgroups that can be made')
unshare --mount --net --pid --uts --fork true 2>/dev/null || lacks+=(namespaces)
[ ${#lacks[@]} -gt 0 ] || exit 0
printf '%s\n' "${lacks[@]}" | paste -sd, | sed 's/,/, /g'
exit 1
