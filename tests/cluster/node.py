# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""A node as the machine sees it: its processes, its files, its links."""
import collections
import json
import os
import socket
import subprocess
import threading
import time

from api import Watch
from held import end_with_parent

LOG = '/var/log/antrea/antrea-cni.log'
HERE, RUNNING = os.environ['HERE'], os.environ['RUNNING']


def read(path):
    with open(path) as file:
        return file.read()


def answers(path):
    """Returns whether somebody takes connections at a socket."""
    with socket.socket(socket.AF_UNIX) as it:
        it.settimeout(1)
        try:
            it.connect(path)
            return True
        except OSError:
            return False


class Node:
    def __init__(self, name):
        self.name = name

    def pid(self):
        """Returns the pid of the node's first process, as the machine counts; None while there is none."""
        try:
            inner = read(f'{RUNNING}/{self.name}.pid').strip()
            cluster = os.readlink(f'/proc/{read(f"{RUNNING}/init.pid").strip()}/ns/pid')
        except FileNotFoundError:
            return None
        for entry in os.listdir('/proc'):
            try:
                if not entry.isdigit() or f'\t{inner}\t1\n' not in read(f'/proc/{entry}/status'):
                    continue
                parent = read(f'/proc/{entry}/stat').rsplit(')', 1)[1].split()[1]
                if os.readlink(f'/proc/{parent}/ns/pid') == cluster:
                    return int(entry)
            except OSError:
                continue
        return None

    def run(self, *command, check=True):
        """Runs a command on the node, and returns what it printed."""
        done = subprocess.run(['bash', '-c', '. "$HERE/env.sh"; in_node "$@"', 'node', self.name, *command],
                              capture_output=True, text=True, timeout=120, preexec_fn=end_with_parent)
        if check and done.returncode:
            raise RuntimeError(f'{self.name}: {" ".join(command)}: {done.stderr.strip() or done.stdout.strip()}')
        return done.stdout

    def left_behind(self):
        """Returns how many addresses and links Pods have there."""
        counted = self.run('sh', '-c', 'ls /run/antrea/cni/networks/antrea 2>/dev/null | grep -c "^10\\."; '
                           'ip -o link show type veth | grep -vc " eth0@"', check=False).split()
        return int(counted[0]), int(counted[1])

    def slowest_add(self, since):
        """Returns the seconds of the longest ADD that this project's plugin logged since then; None without a log."""
        lines = map(json.loads, self.run('cat', LOG, check=False).splitlines())
        adds = [line['milliseconds'] / 1000 for line in lines if line['command'] == 'ADD' and line['time'] >= since]
        return max(adds, default=None)

    def path(self, name=''):
        """Returns the path of a file of the node, as the machine sees it."""
        return os.path.join('/proc', str(self.pid()), 'root', name)

    def age_of_lists(self):
        """Returns how many seconds ago the folder of lists, or a file in it, changed last."""
        folder = self.path('etc/cni/net.d')
        paths = [folder, *(f'{folder}/{name}' for name in os.listdir(folder))]
        return time.time() - max(os.stat(path).st_mtime for path in paths)

    def socket(self):
        """Returns the path of the agent's socket, as the machine sees it."""
        return self.path('run/antrea/cni.sock')

    def has_agent(self):
        return answers(self.socket())

    def agent_pids(self):
        return self.run('pidof', 'antrea-cni-agent', check=False).split()


class Presence:
    """Asks each 50 ms whether somebody takes connections at the agent's socket of a node."""

    def __init__(self, node):
        self.node = node
        self.look_for_socket()
        self.longest, self.stopped = 0.0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def look_for_socket(self):
        """It is another one after a boot of the node."""
        self.socket, self.looked = self.node.socket(), time.monotonic()

    def run(self):
        since = time.monotonic()
        while not self.stopped.wait(0.05):
            if answers(self.socket):
                since = time.monotonic()
            elif time.monotonic() - max(since, self.looked) > 1:
                self.look_for_socket()
            self.longest = max(self.longest, time.monotonic() - since)

    def stop(self):
        """Returns the seconds of the longest time without an agent."""
        self.stopped.set()
        self.thread.join()
        return self.longest


class Readiness:
    """How long each node was not Ready, as the API server says."""

    def __init__(self, api):
        self.since, self.total = {}, collections.Counter()
        self.watch = Watch(api, '/api/v1/nodes', self.saw)

    def saw(self, kind, node):
        name, now = node['metadata']['name'], time.monotonic()
        ready = any(it['type'] == 'Ready' and it['status'] == 'True' for it in node['status'].get('conditions', []))
        since = self.since.pop(name, None)
        if since is not None:
            self.total[name] += now - since
        if not ready:
            self.since[name] = now

    def stop(self):
        """Returns the seconds by node."""
        self.watch.stop()
        for name, since in self.since.copy().items():
            self.total[name] += time.monotonic() - since
        return self.total
