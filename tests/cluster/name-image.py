# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""name-image.py ARCHIVE REFERENCE NEW: the OCI archive with another name for its image, and the same bytes otherwise."""
import io
import json
import sys
import tarfile

archive, reference, new = sys.argv[1:]
with tarfile.open(archive) as source, tarfile.open(new, 'w') as target:
    for entry in source:
        data = source.extractfile(entry).read() if entry.isfile() else b''
        if entry.name == 'index.json':
            index = json.loads(data)
            for it in index['manifests']:
                it['annotations'] = {'io.containerd.image.name': reference}
            data = json.dumps(index).encode()
            entry.size = len(data)
        target.addfile(entry, io.BytesIO(data))
