# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""kubectl's plugin on the cluster: all nodes as they should be, with the chart and with the component of kustomize; and a
node without an agent, one without our Pod, and one whose plugin another installer replaced. The last two need three nodes."""
import json
import subprocess
import tarfile
import time

from changes import apply, as_kustomized, install_ours, no_agent_on, plain, uninstall_ours, wait_until
from held import end_with_parent
from node import Node
from tools import CLUSTER, ENVIRONMENT, HERE, NODES, kubectl

WITHOUT_AGENT, WITHOUT_POD, REPLACED = (NODES + ['', ''])[:3]
RELEASE = 'v2.7.0'


def antrea_cni(exit_status, *words):
    """Runs `kubectl antrea-cni`, checks its exit status, and returns what it printed."""
    begun = time.monotonic()
    done = subprocess.run(['kubectl', 'antrea-cni', *words], capture_output=True, text=True, timeout=120, env=ENVIRONMENT,
                          preexec_fn=end_with_parent)
    print(f'    kubectl antrea-cni {" ".join(words)}: exit status {done.returncode}, {time.monotonic() - begun:.1f} s')
    if done.returncode != exit_status:
        raise RuntimeError(f'{words}: {done.stdout}{done.stderr}')
    return done.stdout


def status(exit_status):
    rows = json.loads(antrea_cni(exit_status, 'status', '-o', 'json'))['nodes']
    return {row['name']: row for row in rows}


def expect(what, is_so):
    if not is_so:
        raise RuntimeError(f'not so: {what}')


def agents_say_their_release():
    kubectl('apply', '-f', f'{HERE}/agent/antreaagentinfo.yaml')
    kubectl('wait', '--for=condition=Established', 'crd/antreaagentinfos.crd.antrea.io')
    kubectl('apply', '-f', '-', input='\n---\n'.join(json.dumps({
        'apiVersion': 'crd.antrea.io/v1beta1', 'kind': 'AntreaAgentInfo', 'metadata': {'name': name},
        'version': RELEASE, 'nodeRef': {'kind': 'Node', 'name': name}}) for name in NODES))


def a_pod_on_each_node():
    for name in NODES:
        kubectl('run', f'desk-{name}', '--image', 'localhost/pod:latest', '--image-pull-policy', 'Never', '--restart', 'Never',
                '--overrides', json.dumps({'spec': {'nodeName': name, 'terminationGracePeriodSeconds': 1}}), '--', 'sleep', '1000')
    kubectl('wait', '--for=condition=Ready', '--timeout=60s', *(f'pod/desk-{name}' for name in NODES))


def show():
    """Leaves the cluster as it was."""
    kubectl('label', 'node', *NODES, 'plugin=ours', '--overwrite')
    install_ours()
    agents_say_their_release()
    a_pod_on_each_node()
    all_is_well()
    in_trouble()
    kubectl('delete', 'pod', '--force', *(f'desk-{name}' for name in NODES))
    kubectl('delete', '-f', f'{HERE}/agent/antreaagentinfo.yaml')
    kubectl('label', 'node', *NODES, 'plugin=ours', '--overwrite')
    uninstall_ours()
    apply(as_kustomized())
    rows = status(0)
    expect(f'a row of each node with the component: {rows}', all(row['ready'] and row['list'] and row['keeper'] for row in rows.values()))
    antrea_cni(0, 'logs')
    apply(plain())


def all_is_well():
    rows = status(0)
    expect(f'{len(NODES)} rows: {rows}', list(rows) == NODES)
    expect(f'all ready, with their release: {rows}', all(row['ready'] and row['agentRelease'] == RELEASE and row['keeper'] for row in rows.values()))
    print(antrea_cni(0, 'status'))
    antrea_cni(0, 'probe')
    antrea_cni(0, 'check-config')
    lines = antrea_cni(0, 'logs', f'default/desk-{NODES[0]}', '--command', 'ADD').splitlines()
    expect(f'one ADD: {lines}', len(lines) == 1 and lines[0].startswith(NODES[0]))
    page, archive = f'{CLUSTER}/fleet.html', f'{CLUSTER}/bundle.tar.gz'
    antrea_cni(0, 'fleet', '--html', page)
    with open(page) as file:
        text = file.read()
    expect('each node on the page', all(f'<td>{name}</td>' in text for name in NODES))
    antrea_cni(0, 'bundle', archive)
    with tarfile.open(archive) as bundle:
        names = bundle.getnames()
    expect(f'a list of each node: {names}', all(f'antrea-cni/{name}/net.d/10-antrea.conflist' in names for name in NODES))
    nothing_follows_after_an_end()


def nothing_follows_after_an_end():
    """A program in a Pod outlives the connection of its exec, if nothing tells it."""
    def followers():
        return sum('log' in Node(name).run('sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -o "antrea-cnictl lo[g] follow" || true')
                   for name in NODES)
    follow = subprocess.Popen(['kubectl', 'antrea-cni', 'logs', '-f'], env=ENVIRONMENT, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)
    wait_until('all logs followed', lambda: followers() == len(NODES), 30)
    follow.kill()
    follow.wait()
    wait_until('no log followed', lambda: followers() == 0, 30)
    print('    kubectl antrea-cni logs -f: killed, and nothing follows on the nodes')


def in_trouble():
    with no_agent_on([WITHOUT_AGENT]):
        if REPLACED:
            kubectl('label', 'node', WITHOUT_POD, 'plugin-')
            wait_until('no Pod of ours', lambda: not pods_on(WITHOUT_POD), 60)
            node = Node(REPLACED)
            keeper = node.run('pidof', 'antrea-cnictl').split()
            node.run('kill', '-STOP', *keeper)
            node.run('sh', '-c', 'rm /opt/cni/bin/antrea; cp /usr/lib/cni/ptp /opt/cni/bin/antrea')
        rows = status(1)
        print(antrea_cni(1, 'status'))
        expect(f'no agent: {rows}', 'No agent' in rows[WITHOUT_AGENT]['findings'][0])
        expect(f'{len(NODES)} rows: {rows}', len(rows) == len(NODES))
        antrea_cni(3, 'probe', '--node', WITHOUT_AGENT)
        if REPLACED:
            expect(f'no Pod: {rows}', 'no Pod of antrea-cni' in rows[WITHOUT_POD]['problems'][0])
            expect(f'replaced: {rows}', 'is not what was installed' in rows[REPLACED]['findings'][0])
            antrea_cni(1, 'fleet', '--html', f'{CLUSTER}/fleet-in-trouble.html')
            node.run('kill', '-CONT', *keeper)


def pods_on(name):
    selected = kubectl('-n', 'kube-system', 'get', 'pod', '-l', 'app.kubernetes.io/name=antrea-cni', '-o', 'name',
                       '--field-selector', f'spec.nodeName={name}')
    return selected.split()
