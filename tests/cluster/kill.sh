#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# kill.sh [TIMES]: kills a run, or an `up` that is starting, at a random moment, its runner alone or the whole group, with
# SIGKILL or as Ctrl-C does, and looks whether anything is left on the machine: processes, mounts, namespaces, links, rules, cgroups.
set -euo pipefail
. "$(dirname "$0")/env.sh"
log=$CLUSTER/kill.log
machine() {
  ip netns list
  ip -o link | sed 's/^[0-9]*: //; s/ qlen.*//'
  ip route
  iptables-save 2>/dev/null | grep -v '^[#:]' || true
  grep -F "$CLUSTER" /proc/mounts || true
  find /sys/fs/cgroup -type d -path "*/$CGROUP-*" 2>/dev/null || true
  local process line
  for process in /proc/[0-9]*; do
    line=$({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null) || true
    case $line in
      *kill.sh*) ;;
      *"$CLUSTER"*) echo "$line" ;;
      # Another cluster may run from here.
      *"$HERE/"*) ! grep -qzxF "CLUSTER=$CLUSTER" "$process/environ" 2>/dev/null || echo "$line" ;;
    esac
  done
  ls "$CLUSTER" | grep -x running || true
}
machine >"$CLUSTER/machine-before"
for number in $(seq "${1:-10}"); do
  # Of eight, the last four are `up`, whose start takes more than a quarter of a minute.
  command='run a b' moment=$((RANDOM % 600))
  ((number % 8 && number % 8 < 5)) || command=up moment=$((RANDOM % 150))
  setsid bash "$HERE/cluster.sh" $command >"$log" 2>&1 </dev/null &
  runner=$!
  end=$((SECONDS + moment / 10))
  while [ $SECONDS -lt $end ] && kill -0 $runner 2>/dev/null; do sleep 0.1; done
  sleep "0.$((moment % 10))"
  case $((number % 4)) in
    0) how='SIGKILL to the group' target=(-KILL -- "-$runner") ;;
    1) how='SIGKILL to the runner' target=(-KILL "$runner") ;;
    2) how='Ctrl-C' target=(-INT -- "-$runner") ;;
    3) how='SIGTERM to the runner' target=(-TERM "$runner") ;;
  esac
  at=$(grep ' s: ' "$log" | tail -n 1 | sed 's/.* s: //; s/ (.*//') || true
  kill "${target[@]}"
  wait $runner 2>/dev/null || true
  # Whoever holds the cluster holds this lock until nothing is left.
  flock --timeout 60 "$CLUSTER/lock" true || die 'the cluster does not end'
  machine >"$CLUSTER/machine-after"
  diff "$CLUSTER/machine-before" "$CLUSTER/machine-after" || die "left behind after $how"
  echo "$number: $command, $how after $((moment / 10)).$((moment % 10)) s, after \"$at\": nothing is left"
done
