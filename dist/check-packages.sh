#!/usr/bin/env bash
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Installs the packages of check-packages.sh FOLDER in empty roots, starts what those of amd64 bring,
# and removes them again.
set -euo pipefail
cd "$1"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
starts() { # what was installed, where this machine can run it
  "$root/usr/bin/antrea-cnictl" version
  CNI_COMMAND=VERSION "$root/usr/lib/antrea-cni/antrea-cni" </dev/null | grep -q '"supportedVersions"'
  test -s "$root/usr/share/man/man1/antrea-cnictl.1" || test -s "$root/usr/share/man/man1/antrea-cnictl.1.gz"
  test -s "$root/usr/share/antrea-cnictl/deploy/helm/Chart.yaml"
  test -s "$root/usr/share/doc/antrea-cnictl/docs/operations.md"
  test -s "$root/etc/default/antrea-cni-keeper"
  unit=antrea-cni-keeper.service
  test -z "$(find "$root/etc/systemd" -name $unit 2>/dev/null)" # It is not enabled.
  if command -v systemd-analyze >/dev/null; then
    mkdir -p "$root/etc/systemd/system"
    for target in sysinit basic shutdown network multi-user; do
      echo '[Unit]' >"$root/etc/systemd/system/$target.target"
    done
    said=$(systemd-analyze verify --root="$root" --man=no "/usr/lib/systemd/system/$unit" 2>&1) && test -z "$said" ||
      { echo "$said" >&2; exit 1; }
  else
    echo '*** skipped: the unit needs systemd-analyze ***' >&2
  fi
}
gone() { test -z "$(find "$root/usr" "$root/opt" "$root/etc/default" -type f 2>/dev/null)" || { echo "left behind by $1" >&2; exit 1; }; }

mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
touch "$root"/var/lib/dpkg/{status,available}
for wanted in amd64:amd64 arm64:arm64 arm:armhf; do
  deb=$(echo *-linux-${wanted%:*}.deb)
  [ -e "$deb" ] || continue
  test "$(dpkg-deb --field "$deb" Architecture)" = ${wanted#*:}
  (cd / && dpkg --force-not-root --force-architecture --root="$root" --install "$OLDPWD/$deb") >/dev/null
  [ $wanted != amd64:amd64 ] || starts
  (cd / && dpkg --force-not-root --root="$root" --purge antrea-cnictl) >/dev/null
  gone "$deb"
done
if command -v rpm >/dev/null; then
  for rpm in *.rpm; do
    rpm --root "$root" --initdb
    rpm --root "$root" --install --nodeps --ignorearch --nosignature "$rpm"
    case $rpm in *amd64*) starts ;; esac
    rpm --root "$root" --erase antrea-cnictl
    gone "$rpm"
  done
else
  echo '*** skipped: RPM packages need rpm ***' >&2
fi
echo "packages: $(ls *.deb *.rpm | wc -l) installed and removed, those of amd64 started"
