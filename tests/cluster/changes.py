# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is done to agents, plugin, list and nodes."""
import concurrent.futures
import contextlib
import json
import os
import signal
import time

from api import Api
from node import LOG, Node
from tools import CLUSTER, HERE, NODES, REPOSITORY, helm, kubectl, rolled_out, run

CHART = f'{REPOSITORY}/deploy/helm'
OURS = f'{REPOSITORY}/target/dist-build/x86_64-unknown-linux-musl/release/antrea-cni'
AGENT = 'component=antrea-agent'  # the label of agents, and of their DaemonSets


# -- this project's plugin, by its chart
def install_ours():
    helm('install', 'antrea-cni', CHART, '--set', 'image.repository=example.org/antrea-cni',
         '--set', 'nodeSelector.plugin=ours')
    rolled_out('antrea-cni')


def upgrade_ours(*values):
    helm('upgrade', 'antrea-cni', CHART, '--reset-then-reuse-values', *(word for value in values for word in ('--set', value)))
    rolled_out('antrea-cni')


def test_ours():
    """Returns what `helm test` says: a Pod starts through the plugin, and asks status and probe."""
    return helm('test', 'antrea-cni', '--timeout', '120s')


def uninstall_ours():
    """Helm's uninstall alone, after which nothing of the chart is left."""
    names = kubectl('get', 'node', '-l', 'plugin=ours', '-o', 'jsonpath={.items[*].metadata.name}').split()
    helm('uninstall', 'antrea-cni', '--wait')
    kubectl('-n', 'kube-system', 'wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/instance=antrea-cni', '--timeout=60s')
    left = kubectl('-n', 'kube-system', 'get', 'all,serviceaccount,role,rolebinding', '-l',
                   'app.kubernetes.io/instance=antrea-cni', '-o', 'name').split()
    left += [f'{name}: {it}' for name in names for it in left_of_ours(name)]
    if left:
        raise RuntimeError(f'helm uninstall leaves {", ".join(left)}')


def left_of_ours(name):
    """Returns what of this project is on a node, in the folder of plugins."""
    folder = Node(name).path('opt/cni/bin')
    left = [it for it in os.listdir(folder) if it.startswith('.antrea')]
    with open(f'{folder}/antrea', 'rb') as there, open(OURS, 'rb') as ours:
        return left + ['antrea'] * (there.read() == ours.read())


def restart_agents():
    kubectl('-n', 'kube-system', 'delete', 'pod', '-l', AGENT, '--wait=false')
    every_agent_rolled_out()


def agents():
    """Returns the names of the DaemonSets of agents."""
    return kubectl('-n', 'kube-system', 'get', 'daemonset', '-l', AGENT, '-o', 'jsonpath={.items[*].metadata.name}').split()


def every_agent_rolled_out():
    for name in agents():
        rolled_out(name)


def use_generation(tag):
    image = f'localhost/antrea-agent:{tag}'
    kubectl('-n', 'kube-system', 'set', 'image', 'daemonset', '-l', AGENT, f'antrea-agent={image}', f'install-cni={image}')
    every_agent_rolled_out()


def use_generations(*tags):
    for tag in tags:
        use_generation(tag)


def use_cni_version(version):
    """As the guide changes the list: in Antrea's ConfigMap, and the agents are started again."""
    path = '/api/v1/namespaces/kube-system/configmaps/antrea-config'
    conflist = Api().ask('GET', path)['data']['antrea-cni.conflist']
    lines = [f'    "cniVersion":"{version}",' if '"cniVersion"' in line else line for line in conflist.splitlines()]
    Api().ask('PATCH', path, {'data': {'antrea-cni.conflist': '\n'.join(lines)}}, 'application/merge-patch+json')
    kubectl('-n', 'kube-system', 'rollout', 'restart', 'daemonset', '-l', AGENT)
    every_agent_rolled_out()


def at_once(*functions):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(function) for function in functions]:
            done.result()


def power_cut(names):
    """Kills all processes of the nodes at once. They boot again; returns what tells whether a node has."""
    before = {name: Node(name).pid() for name in names}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    return lambda name: Node(name).pid() not in (None, before[name])


def reboot(names):
    """Waits until each node has booted and has an agent."""
    has_booted = power_cut(names)
    for name in names:
        wait_until(f'{name} has an agent', lambda: has_booted(name) and Node(name).has_agent(), 180)


def wait_until(what, test, seconds):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise RuntimeError(f'not in {seconds} s: {what}')
        time.sleep(0.2)


def until_lists_are_old():
    """Waits until no list was written in the last minute: after that an ADD waits for as long as its settings say."""
    for name in NODES:
        node = Node(name)
        wait_until(f'an old list on {name}', lambda: node.age_of_lists() > 62, 90)


@contextlib.contextmanager
def no_agent_on(names):
    """Keeps the agents off nodes, and leaves those of the other nodes alone."""
    def patch(affinity):
        path = '/apis/apps/v1/namespaces/kube-system/daemonsets/antrea-agent'
        strategy = {'type': 'OnDelete', 'rollingUpdate': None} if affinity else {'type': 'RollingUpdate'}
        Api().ask('PATCH', path, {'spec': {'updateStrategy': strategy, 'template': {'spec': {'affinity': affinity}}}},
                  'application/merge-patch+json')
    expression = {'key': 'kubernetes.io/hostname', 'operator': 'NotIn', 'values': names}
    patch({'nodeAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': {
        'nodeSelectorTerms': [{'matchExpressions': [expression]}]}}})
    for name in names:
        wait_until(f'no agent on {name}', lambda: not Node(name).agent_pids(), 60)
    yield
    patch(None)
    rolled_out('antrea-agent')


def as_kustomized(more=''):
    """Returns the agents' manifest with the component, and with more in its kustomization."""
    folder = f'{CLUSTER}/kustomized'
    run('sh', '-ec', 'rm -rf "$1"; mkdir "$1"; cp "$2/agent/antrea.yaml" "$1/"; cp -r "$3"/deploy/kustomize/* "$1/"',
        'sh', folder, HERE, REPOSITORY)
    with open(f'{folder}/kustomization.yaml', 'w') as file:
        file.write('resources: [antrea.yaml]\ncomponents: [encap]\n'
                   'images: [{name: antrea-cni, newName: example.org/antrea-cni, newTag: 0.1.0}]\n'
                   'configMapGenerator: [{name: antrea-cni-settings, namespace: kube-system, '
                   f'literals: [logFile={LOG}]}}]\n' + more)
    return kubectl('kustomize', folder)


def kustomized():
    uninstall_ours()
    apply(as_kustomized())


def unkustomized():
    apply(plain())
    install_ours()


def plain():
    with open(f'{HERE}/agent/antrea.yaml') as file:
        return file.read()


def apply(manifest):
    kubectl('apply', '--server-side', '--force-conflicts', '-f', '-', input=manifest)
    rolled_out('antrea-agent')


def chained():
    """As on a cloud's nodes: another CNI with a list of its own, and agents behind it."""
    for name in NODES:
        ipam = {'type': 'host-local', 'ranges': [[{'subnet': f'10.244.{name[1:]}.0/24'}]], 'routes': [{'dst': '0.0.0.0/0'}],
                'dataDir': '/run/antrea/cni/networks'}
        plugins = [{'type': 'ptp', 'ipam': ipam}, {'type': 'portmap', 'capabilities': {'portMappings': True}}]
        write_cloud_list(name, {'cniVersion': '0.4.0', 'name': 'antrea', 'plugins': plugins})
    apply(kubectl('kustomize', '--load-restrictor', 'LoadRestrictionsNone', f'{HERE}/agent/network-policy-only'))
    for name in NODES:
        Node(name).run('rm', '-f', '/etc/cni/net.d/10-antrea.conflist')
    use_generation('v1.8.0')


def write_cloud_list(name, conflist):
    text = json.dumps(conflist, separators=(',', ':'))
    Node(name).run('sh', '-ec', 'cp -u /usr/lib/cni/ptp /usr/lib/cni/host-local /opt/cni/bin/; echo "$1" >/run/list; '
                   'install -m 644 /run/list /etc/cni/net.d/10-cloud.conflist', 'sh', text)


def unchained():
    apply(plain())
    for name in NODES:
        Node(name).run('rm', '-f', '/etc/cni/net.d/05-antrea.conflist', '/etc/cni/net.d/10-cloud.conflist')
