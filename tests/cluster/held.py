# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""The lock of a cluster, what may be left of one that has ended, and processes that end with the one that started them."""
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# Before a command: it and all that it starts end with this one, as does what is mounted.
CONTAINED = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private']
HERE, CLUSTER, RUNNING, CGROUP = (os.environ[name] for name in ('HERE', 'CLUSTER', 'RUNNING', 'CGROUP'))


def prctl(option, value):
    ctypes.CDLL(None).prctl(option, value)


def end_with_parent():
    """In the child, before its program starts (preexec_fn)."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


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
    subprocess.run(['bash', f'{HERE}/remove-cgroups.sh', f'{CGROUP}-*'], check=True)
    shutil.rmtree(RUNNING, ignore_errors=True)
