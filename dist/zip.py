#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Packs FOLDER/NAME as FOLDER/NAME.zip, the same bytes each time: zip.py FOLDER NAME."""
import os, pathlib, sys, time, zipfile

folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
moment = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted((folder / name).rglob("*")):
        if path.is_file():
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), moment)
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
