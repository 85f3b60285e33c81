#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# The integration suites on the plugin and the tool for Windows, under wine:
# `make test-windows`. Needs Debian's wine64 and mingw-w64.
set -euo pipefail
cd "$(dirname "$0")/.."
target=x86_64-pc-windows-gnu
for tool in wine x86_64-w64-mingw32-gcc; do
  command -v $tool >/dev/null || { echo "*** skipped: the suite on Windows needs $tool ***" >&2; exit 0; }
done
rustup target add $target >/dev/null 2>&1 || true
# wine keeps a descriptor for each handle of each process.
ulimit -n "$(ulimit -Hn)"
export WINEPREFIX=$PWD/target/wine WINEDEBUG=-all
trap 'wineserver -k || true' EXIT
mkdir -p target
[ -d "$WINEPREFIX" ] || timeout 120 wine wineboot -i
# What this wine may lack.
x86_64-w64-mingw32-gcc -shared -O2 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" \
  tests/wine/bcryptprimitives.c -ladvapi32
if command -v go >/dev/null; then
  export ANTREA_CNI_GO_AGENT=$PWD/target/wine-agent.exe
  (cd tests/interop/go && GOOS=windows CGO_ENABLED=0 go build -o "$ANTREA_CNI_GO_AGENT" ./agent)
else
  echo '*** skipped: an agent in grpc-go and go-winio needs Go ***' >&2
fi
if python3 -m venv target/powershell && target/powershell/bin/pip install -q tree-sitter==0.26.1 tree-sitter-powershell==0.26.4; then
  target/powershell/bin/python tests/wine/powershell.py deploy/windows/*.ps1
else
  echo '*** skipped: the syntax of PowerShell needs tree-sitter-powershell ***' >&2
fi
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine RUST_TEST_THREADS=6
# Under wine a process that was killed and its pipe end in any order, and a test that waits for
# one may meet the other. So a few red tests are run once more, alone, and named.
suite() { # ARGUMENTS-OF-CARGO-TEST
  local log=target/wine-tests.log
  if cargo test --target $target "$@" 2>&1 | tee "$log"; then return; fi
  local -a red
  mapfile -t red < <(sed -n 's/^test \(.*\) \.\.\. FAILED\r\{0,1\}$/\1/p' "$log" | sort -u)
  [ ${#red[@]} -gt 0 ] && [ ${#red[@]} -le 5 ] || return 1
  echo "*** red under wine beside other tests, run again alone: ${red[*]} ***"
  cargo test --target $target "$@" -- --exact --test-threads=1 "${red[@]}"
}
cargo clippy --target $target -p antrea-cni -p antrea-cni-agent -p antrea-cni-windows -- -D warnings
cargo clippy --target $target -p antrea-cni --test it -- -D warnings
cargo clippy --target $target -p antrea-cnictl --all-targets -- -D warnings
# The plugin that is shipped, not the debug build.
dist/programs.sh windows
shipped=$PWD/target/dist-build/$target/release
plugin=$shipped/antrea-cni.exe
size=$(stat -c %s "$plugin")
echo "release binary: $size bytes"
test "$size" -le 1000000
export ANTREA_CNI_PLUGIN=Z:$plugin
suite -p antrea-cni --test it --lib "$@"
# And the tool that is shipped, with that plugin in it.
export ANTREA_CNICTL=Z:$shipped/antrea-cnictl.exe
suite -p antrea-cnictl "$@"
