# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""The lock of a cluster, and what may be left of one that has ended."""
import fcntl
import os
import shutil
import subprocess

HERE, CLUSTER, RUNNING, CGROUP = (os.environ[name] for name in ('HERE', 'CLUSTER', 'RUNNING', 'CGROUP'))


def lock(wait=False):
    """Returns the file, locked, or None if a cluster runs; with `wait` it waits for its end."""
    file = open(f'{CLUSTER}/lock', 'a+')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return file
    except BlockingIOError:
        file.close()
        return None


def remove_what_is_left():
    subprocess.run(['bash', f'{HERE}/remove-cgroups.sh', CGROUP], check=True)
    shutil.rmtree(RUNNING, ignore_errors=True)
