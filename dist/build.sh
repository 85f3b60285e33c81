#!/usr/bin/env bash
# Builds the release archive, the same bytes wherever it is built: dist/build.sh OUT.
# What goes in: both programs with the list of their dependencies inside (cargo
# auditable), man pages, completions, SBOMs (CycloneDX), licence texts. Beside the
# archive: SHA256SUMS of it and of each file in it.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "$1")
target=x86_64-unknown-linux-musl
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=antrea-cni-$version-linux-amd64
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CARGO_TERM_COLOR=never
# No path of this machine in the programs.
export RUSTFLAGS="--remap-path-prefix=$PWD=/antrea-cni --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
export CARGO_TARGET_DIR=$PWD/target/dist-build
umask 022

tool() { command -v "cargo-$1" >/dev/null || env -u RUSTFLAGS -u CARGO_TARGET_DIR cargo install --locked "cargo-$1@$2"; }
tool auditable 0.7.7
tool cyclonedx 0.5.9

stage=$out/$name
rm -rf "$out"
mkdir -p "$stage/man" "$stage/completions" "$stage/sbom"
cargo auditable build --locked --release --target $target -p antrea-cni --bin antrea-cni
ANTREA_CNI_EMBED=$CARGO_TARGET_DIR/$target/release/antrea-cni \
  cargo auditable build --locked --release --target $target -p antrea-cnictl --bin antrea-cnictl
cp "$CARGO_TARGET_DIR/$target/release"/antrea-cni{,ctl} "$stage/"
"$stage/antrea-cnictl" man "$stage/man"
for shell in bash zsh fish; do "$stage/antrea-cnictl" completions $shell >"$stage/completions/antrea-cnictl.$shell"; done
cp LICENSE README.md CHANGELOG.md "$stage/"
python3 dist/licenses.py "$stage/THIRD-PARTY-LICENSES.txt" antrea-cni antrea-cnictl
cargo cyclonedx --quiet --format json --target $target --no-build-deps --override-filename sbom.tmp
for package in . ctl; do
  # A number that is new each time, and the folder that it was built in.
  python3 - "$package/sbom.tmp.json" "$PWD" >"$stage/sbom/antrea-cni${package#.}.cdx.json" <<'PY'
import json, sys
path, folder = sys.argv[1:]
text = open(path).read().replace(f"file://{folder}", "file:///antrea-cni")
bom = json.loads(text)
bom.pop("serialNumber", None)
print(json.dumps(bom, indent=1, sort_keys=True))
PY
done
find . -name sbom.tmp.json -not -path './target/*' -delete
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$out" -c "$name" |
  gzip -9 -n >"$out/$name.tar.gz"
(cd "$out" && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
cat "$out/SHA256SUMS"
