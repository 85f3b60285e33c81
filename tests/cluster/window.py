# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""How long another plugin, or none, stands in the place of this one when an agent starts: with the chart beside Antrea, and
with the kustomize component. Looked at every 2 ms, on each node."""
import os
import threading
import time

from changes import OURS, install_ours, kustomized, unkustomized, uninstall_ours
from node import Node
from tools import NODES, kubectl, rolled_out

SIZE = os.path.getsize(OURS)
RESTARTS = 4


def size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None


def look(name, found, stop):
    path = Node(name).path('opt/cni/bin/antrea')
    gone = None
    while not stop.wait(0.002):
        if size(path) != SIZE:
            gone = gone or time.monotonic()
        elif gone:
            found.append(time.monotonic() - gone)
            gone = None


def windows():
    """Starts all agents anew, several times, and returns the seconds of each window."""
    found, stop = [], threading.Event()
    lookers = [threading.Thread(target=look, args=(name, found, stop)) for name in NODES]
    for looker in lookers:
        looker.start()
    for _ in range(RESTARTS):
        kubectl('-n', 'kube-system', 'rollout', 'restart', 'daemonset/antrea-agent')
        rolled_out('antrea-agent')
    stop.set()
    for looker in lookers:
        looker.join()
    return sorted(found)


def measure():
    for name in NODES:
        kubectl('label', 'node', name, '--overwrite', 'plugin=ours')
    install_ours()
    beside = windows()
    kustomized()
    within = windows()
    unkustomized()
    uninstall_ours()
    for way, found in (('chart', beside), ('component', within)):
        print(f'{way}: {RESTARTS * len(NODES)} starts of an agent, {len(found)} windows', end='')
        # Where Antrea's installer writes into staging folders, there is none.
        print(f' of {found[0] * 1000:.0f} to {found[-1] * 1000:.0f} ms, the median {found[len(found) // 2] * 1000:.0f} ms' if found else '')
