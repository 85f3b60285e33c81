# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""image.py ARCHIVE REFERENCE FOLDER... [-- ENTRYPOINT...]: an image whose layers are the folders, as an OCI archive that
`ctr image import` takes. The same files make the same bytes."""
import hashlib
import io
import json
import os
import sys
import tarfile

OCI = 'application/vnd.oci.image'


def plain(entry):
    """A file of a layer, as root's and without a time."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ''
    return entry


def layer(folder):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as tar:
        for name in sorted(os.listdir(folder)):
            tar.add(f'{folder}/{name}', name, filter=plain)
    return data.getvalue()


def main(archive, reference, *words):
    at = words.index('--') if '--' in words else len(words)
    folders, entrypoint = words[:at], list(words[at + 1:])
    blobs = {}

    def describe(media_type, data, **more):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f'blobs/sha256/{digest}'] = data
        return {'mediaType': f'{OCI}.{media_type}', 'digest': f'sha256:{digest}', 'size': len(data), **more}

    layers = [describe('layer.v1.tar', layer(folder)) for folder in folders]
    config = {'architecture': 'amd64', 'os': 'linux',
              'config': {'Env': ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], 'Entrypoint': entrypoint},
              'rootfs': {'type': 'layers', 'diff_ids': [it['digest'] for it in layers]}}
    manifest = {'schemaVersion': 2, 'mediaType': f'{OCI}.manifest.v1+json',
                'config': describe('config.v1+json', json.dumps(config).encode()), 'layers': layers}
    described = describe('manifest.v1+json', json.dumps(manifest).encode(),
                         annotations={'io.containerd.image.name': reference})
    files = {'oci-layout': b'{"imageLayoutVersion":"1.0.0"}',
             'index.json': json.dumps({'schemaVersion': 2, 'manifests': [described]}).encode(), **blobs}
    with tarfile.open(archive, 'w') as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))


main(*sys.argv[1:])
