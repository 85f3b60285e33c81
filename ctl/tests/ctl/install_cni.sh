#!/bin/sh
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
# Does what Antrea's install_cni does at each start of an agent: install_cni.sh IMAGE BIN CONF.
# `install` removes a file, makes it anew with mode 0600, writes it, and changes its mode.
set -eu
for program in antrea loopback portmap bandwidth; do
  install -m 755 "$1/$program" "$2/$program"
done
install -m "${CONFIG_FILE_MODE:-644}" "$1/antrea-cni.conflist" "$3/10-antrea.conflist"
rm -f "$3/10-antrea.conf"
