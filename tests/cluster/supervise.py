# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""supervise.py FD: holds a cluster. Its first process is the first of a process namespace, and the kernel ends it with
this one, so that nothing survives. Ends with SIGTERM, with the cluster's first process, and when the other end of the
pipe FD is closed, that is: with whoever started it, however that ended. A byte in the pipe says that the cluster stays
from now on. At its end it removes what the kernel does not: the cgroups and the nodes' disks.

$CLUSTER/lock is locked as long as it lives, and holds its pid."""
import os
import select
import signal
import socket
import subprocess
import sys

from held import (CONTAINED, HERE, PR_SET_CHILD_SUBREAPER, RUNNING, end_with_parent, lock, prctl,
                  remove_what_is_left)


def wait_for_an_end(first, signals, follow):
    watched = [signals, follow]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if follow in ready:
            if not os.read(follow, 1):
                return
            watched.remove(follow)
        if signals in ready and set(os.read(signals, 64)) != {signal.SIGCHLD} or first.poll() is not None:
            return


def main():
    held = lock()
    if not held:
        sys.exit('a cluster runs in this folder')
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    signals, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    # What is left of the first process becomes this one's child, so that its end can be waited for.
    prctl(PR_SET_CHILD_SUBREAPER, 1)

    remove_what_is_left()
    os.makedirs(f'{RUNNING}/log')
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(64)
    subprocess.run(['bash', f'{HERE}/pki.sh', str(listener.getsockname()[1])], check=True, preexec_fn=end_with_parent)
    first = subprocess.Popen(
        [*CONTAINED, '--net', 'bash', f'{HERE}/init.sh', str(listener.fileno())],
        pass_fds=[listener.fileno()], preexec_fn=end_with_parent)
    listener.close()
    wait_for_an_end(first, signals, int(sys.argv[1]))
    first.kill()
    first.wait()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    remove_what_is_left()


if __name__ == '__main__':
    main()
