# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""`helm uninstall` while a node is away: it ends, says what to do, and has changed the other nodes. When the node is back,
the same command takes everything away."""
import os
import signal
import time

from changes import install_ours, left_of_ours, test_ours, uninstall_ours, upgrade_ours
from node import Node
from tools import NODES, helm, kubectl

SECONDS = 150  # of which its nodes have 60


def kubelets(name, number):
    """Sends a signal to the kubelet of a node."""
    for pid in Node(name).run('pidof', 'kubelet').split():
        Node(name).run('kill', f'-{int(number)}', pid)


def with_a_node_away():
    for name in NODES:
        kubectl('label', 'node', name, '--overwrite', 'plugin=ours')
    install_ours()
    upgrade_ours(f'uninstallHook.timeoutSeconds={SECONDS}')
    tested = test_ours()
    away = NODES[-1]
    kubelets(away, signal.SIGSTOP)
    begun = time.monotonic()
    said = None
    try:
        helm('uninstall', 'antrea-cni', '--wait')
    except RuntimeError as error:
        said = str(error)
    finally:
        took = time.monotonic() - begun
        kubelets(away, signal.SIGCONT)
    if said is None:
        raise RuntimeError('helm uninstall succeeds while a node is away')
    logs = kubectl('-n', 'kube-system', 'logs', 'job/antrea-cni-uninstall', '--all-containers')
    with open(f'{os.environ["CLUSTER"]}/uninstall.log', 'w') as file:
        file.write(f'{tested}\n{said}\n{logs}')
    for word in ('helm uninstall --no-hooks antrea-cni', 'timed out', 'of 3 updated' if len(NODES) == 3 else 'updated'):
        if word not in logs:
            raise RuntimeError(f'the hook does not say {word}: {said}\n{logs}')
    if took > SECONDS + 30:
        raise RuntimeError(f'helm uninstall took {took:.0f} s')
    left = {name: left_of_ours(name) for name in NODES}
    if any(left[name] for name in NODES[:-1]) or not left[away]:
        raise RuntimeError(f'after a failed uninstall: {left}')
    uninstall_ours()
    print(f'helm uninstall with {away} away ended after {took:.0f} s, and said what to do; the other nodes had the plugin of '
          f'before. With {away} back it left nothing')
