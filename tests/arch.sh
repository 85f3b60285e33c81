#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# The suite on another architecture's programs, under qemu-user:
# arch.sh arm64|arm PLUGIN CTL NATIVE, where NATIVE is this machine's plugin. On arm64 the integration tests, the hostile agents and
# the tool's tests, on arm all but the tool's.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$1 plugin=$2 ctl=$3 native=$4
case $arch in arm64) qemu=qemu-aarch64-static ;; arm) qemu=qemu-arm-static ;; *) echo "arm64 or arm, not $arch" >&2; exit 2 ;; esac
command -v $qemu >/dev/null || { echo 'apt-get install qemu-user-static' >&2; exit 1; }
mkdir -p target/qemu
wrapper() { # NAME PROGRAM
  printf '#!/bin/sh\nexec %s %s "$@"\n' $qemu "$2" >"target/qemu/$1"
  chmod 755 "target/qemu/$1"
}
wrapper $arch "$plugin"
test() { # WHY ARGUMENTS-OF-CARGO-TEST -- SKIPPED...
  local why=$1; shift
  local -a with=()
  while [ "$1" != -- ]; do with+=("$1"); shift; done
  shift
  [ $# = 0 ] || echo "*** skipped on $arch: $* ($why) ***"
  cargo test "${with[@]}" -- "${@/#/--skip=}"
}
export ANTREA_CNI_PLUGIN=$PWD/target/qemu/$arch ANTREA_CNI_EMULATED=1 RUST_TEST_THREADS=6
# They wait for half a minute, and work little.
set -m # a process group, which ends with this script
test '' --test hostile -- >target/qemu/hostile-$arch 2>&1 </dev/null &
set +m
hostile=$!
trap 'kill -- -$hostile 2>/dev/null || true' EXIT
test 'emulated, STATUS takes more than its second; a copy of the wrapper is no plugin; qemu-arm writes a file of its own; some wait for half a minute each; a page is made once; strace sees what the emulator asks' --test it -- \
  rolling:: docs:: error_page:: settings_page:: conf_dir:: busy::an_a status::an_agent_that_gives_up settings::the_network settings::settings_of_the_node settings::a_plugin_that settings::an_empty settings::standard_input output::linux::a_configuration_that_arrives output::linux::a_request_for_which \
  $([ $arch = arm64 ] || echo a_limit_of_file_sizes)
wait $hostile || { cat target/qemu/hostile-$arch; exit 1; }
cat target/qemu/hostile-$arch
trap - EXIT
if [ $arch = arm64 ]; then
  # The plugin that is installed is this machine's: the kernel starts it without an emulator.
  wrapper ctl-$arch "$ctl"
  export ANTREA_CNICTL=$PWD/target/qemu/ctl-$arch
  export ANTREA_CNI_PLUGIN=$native
  test 'minutes; and the emulator takes signals in its own way' --test ctl -- \
    kill:: metrics:: libcni:: install::linux::no_call_fails unattended::sigterm unattended::on_a_file_system
fi
