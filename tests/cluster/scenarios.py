# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""What happens to agents, plugin and nodes while Pods come and go. Antrea's kind of plugin is on the first node, and this
project's on the others, which its chart puts there, in the very same trouble."""
import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import time

import report
from api import Api
from churn import Churn
from held import CONTAINED, end_with_parent
from node import LOG, Node, Presence, Readiness
from tools import CLUSTER, ENVIRONMENT, HERE, NODES, REPOSITORY, helm, kubectl, rolled_out, run

CONTROL, OURS = NODES[0], NODES[1:]
GENERATIONS = ['v1.0.3', 'v1.8.0', 'v2.7.0', 'v3.0.0']
CHART = f'{REPOSITORY}/deploy/helm'
SCENARIOS = {}


def scenario(letter, what, before=lambda: None, after=lambda: None):
    def add(function):
        SCENARIOS[letter] = (what, before, function, after)
        return function
    return add


# -- what they are made of
def install_ours():
    helm('install', 'antrea-cni', CHART, '--set', 'image.repository=example.org/antrea-cni',
         '--set', f'settings.logFile={LOG}', '--set', 'nodeSelector.plugin=ours')
    rolled_out('antrea-cni')


def upgrade_ours(*values):
    helm('upgrade', 'antrea-cni', CHART, '--reuse-values', *(word for value in values for word in ('--set', value)))
    rolled_out('antrea-cni')


def uninstall_ours():
    upgrade_ours('action=uninstall')
    helm('uninstall', 'antrea-cni', '--wait')


def restart_agents():
    kubectl('-n', 'kube-system', 'delete', 'pod', '-l', 'component=antrea-agent', '--wait=false')
    rolled_out('antrea-agent')


def use_generation(tag):
    image = f'localhost/antrea-agent:{tag}'
    kubectl('-n', 'kube-system', 'set', 'image', 'daemonset/antrea-agent', f'antrea-agent={image}', f'install-cni={image}')
    rolled_out('antrea-agent')


def use_generations(*tags):
    for tag in tags:
        use_generation(tag)


def use_cni_version(version):
    """As the guide changes the list: in Antrea's ConfigMap, and the agents are started again."""
    path = '/api/v1/namespaces/kube-system/configmaps/antrea-config'
    conflist = Api().ask('GET', path)['data']['antrea-cni.conflist']
    lines = [f'    "cniVersion":"{version}",' if '"cniVersion"' in line else line for line in conflist.splitlines()]
    Api().ask('PATCH', path, {'data': {'antrea-cni.conflist': '\n'.join(lines)}}, 'application/merge-patch+json')
    kubectl('-n', 'kube-system', 'rollout', 'restart', 'daemonset/antrea-agent')
    rolled_out('antrea-agent')


def at_once(*functions):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(function) for function in functions]:
            done.result()


def reboot(names):
    """Kills all processes of the nodes at once, and waits until each has booted and has an agent."""
    nodes = [Node(name) for name in names]
    for node in nodes:
        os.kill(node.pid(), signal.SIGKILL)
    for node in nodes:
        wait_until(f'{node.name} has an agent', node.has_agent, 180)


def wait_until(what, test, seconds):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise RuntimeError(f'not in {seconds} s: {what}')
        time.sleep(0.2)


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


def trouble(letter, what, during, control=CONTROL):
    """Makes Pods come and go, does `during`, and returns a row for each node."""
    nodes = [Node(name) for name in NODES]
    begun = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())
    churn = Churn(Api(), f'churn-{letter}-{int(time.time())}', NODES)
    churn.start()
    churn.wait_until_each_node_ran(3)
    presences, readiness = [Presence(node) for node in nodes], Readiness(Api())
    during()
    away = [presence.stop() for presence in presences]
    # A few Pods after it, whose calls do what was left to do.
    churn.wait_until_each_node_ran(2)
    finished, not_ready = churn.end(), readiness.stop()
    return [{'scenario': f'{letter}: {what}', 'node': node.name, 'away': seconds, 'finished': finished,
             'plugin': report.CONTROL if node.name == control else report.OURS,
             'slowest_add': node.slowest_add(begun), 'not_ready': not_ready[node.name], 'left': node.left_behind(), **churn.figures(node.name)} for node, seconds in zip(nodes, away)]


# -- the scenarios
@scenario('a', 'agents restarted on all nodes, three times')
def restarted():
    for _ in range(3):
        restart_agents()


@scenario('b', 'rolling upgrade ' + ', '.join(GENERATIONS), lambda: use_generation(GENERATIONS[0]))
def upgraded():
    use_generations(*GENERATIONS[1:])


@scenario('c', 'the chart upgraded, rolled back, uninstalled and installed during an upgrade of the agents',
          lambda: use_generation('v1.8.0'))
def chart_changed():
    def chart():
        upgrade_ours('settings.logLevel=debug')
        helm('rollback', 'antrea-cni')
        rolled_out('antrea-cni')
        uninstall_ours()
        install_ours()
    at_once(lambda: use_generations('v2.7.0', 'v3.0.0'), chart)


def kustomized():
    folder = f'{CLUSTER}/kustomized'
    run('sh', '-ec', 'rm -rf "$1"; mkdir "$1"; cp "$2/agent/antrea.yaml" "$1/"; cp -r "$3"/deploy/kustomize/* "$1/"',
        'sh', folder, HERE, REPOSITORY)
    with open(f'{folder}/kustomization.yaml', 'w') as file:
        file.write('resources: [antrea.yaml]\ncomponents: [encap]\n'
                   'images: [{name: antrea-cni, newName: example.org/antrea-cni, newTag: 0.1.0}]\n'
                   'configMapGenerator: [{name: antrea-cni-settings, namespace: kube-system, '
                   f'literals: [logFile={LOG}]}}]\n')
    uninstall_ours()
    apply(kubectl('kustomize', folder))


def unkustomized():
    apply(plain())
    install_ours()


def plain():
    with open(f'{HERE}/agent/antrea.yaml') as file:
        return file.read()


def apply(manifest):
    kubectl('apply', '--server-side', '--force-conflicts', '-f', '-', input=manifest)
    rolled_out('antrea-agent')


@scenario('k', "rolling upgrade v1.8.0, v2.7.0, v3.0.0, with the kustomize component on all nodes", kustomized, unkustomized)
def upgraded_kustomized():
    use_generations('v2.7.0', 'v3.0.0')


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


@scenario('n', 'rolling upgrade v1.8.0, v2.7.0, v3.0.0, with networkPolicyOnly behind another CNI', chained, unchained)
def upgraded_chained():
    use_generations('v2.7.0', 'v3.0.0')


@scenario('d', 'at once: agents v1.8.0 to v3.0.0, the chart changed, the list 0.3.0, 1.1.0, 0.3.0', lambda: use_generation('v1.8.0'))
def everything():
    def conflist():
        use_cni_version('1.1.0')
        use_cni_version('0.3.0')

    def chart():
        upgrade_ours('settings.logLevel=debug')
        helm('rollback', 'antrea-cni')
        rolled_out('antrea-cni')
    at_once(lambda: use_generations('v2.7.0', 'v3.0.0'), conflist, chart)


def listed_as_1_1_0():
    use_generation('v2.7.0')  # Antrea's kind of plugin cannot start a Pod with it and an older agent.
    use_cni_version('1.1.0')


@scenario('e', 'two nodes boot without an agent, with a list of 1.1.0', listed_as_1_1_0,
          lambda: use_cni_version('0.3.0'))
def boot_without_agent():
    names = [CONTROL, NODES[-1]]
    with no_agent_on(names):
        before = {name: Node(name).pid() for name in names}
        for name in names:
            os.kill(before[name], signal.SIGKILL)
        kubectl('wait', '--for=condition=Ready=False', '--timeout=120s', f'node/{NODES[-1]}')
        time.sleep(20)  # for as long as a node may be without an agent
    kubectl('wait', '--for=condition=Ready', '--timeout=120s', 'node', '--all')


@scenario('f', 'a node drained, two rebooted, during an upgrade of the agents', lambda: use_generation('v1.8.0'))
def drained_and_rebooted():
    def nodes():
        kubectl('drain', OURS[0], '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s')
        kubectl('uncordon', OURS[0])
        reboot([CONTROL, NODES[-1]])
    at_once(lambda: use_generations('v2.7.0', 'v3.0.0'), nodes)


@scenario('g', 'agents stopped (SIGSTOP) for a minute')
def stopped():
    nodes = [Node(name) for name in NODES]
    for node in nodes:
        node.run('kill', '-STOP', *node.agent_pids())
    time.sleep(60)  # what is to be shown
    for node in nodes:
        node.run('kill', '-CONT', *node.agent_pids())


# -- what is not about Pods that come and go: scripts, on a cluster without the chart
SCRIPTS = {'guide': 'the blocks of docs/operations.md for a fleet', 'admission': 'what the API server takes of deploy/'}


def run_script(name):
    """Prints the last line that it said, or all of it if it failed."""
    roots = {f'ROOT_{name}': f'/proc/{Node(name).pid()}/root' for name in NODES}
    done = subprocess.run([*CONTAINED, 'bash', f'{HERE}/{name}.sh', f'{CLUSTER}/{name}'], env={**ENVIRONMENT, **roots}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, preexec_fn=end_with_parent)
    said = done.stdout.strip()
    print(said if done.returncode else said.splitlines()[-1])
    return done.returncode != 0


def chosen(names):
    known = {**SCRIPTS, **{letter: what for letter, (what, *_) in SCENARIOS.items()}}
    for name in names:
        if name not in known:
            raise SystemExit(f'there is no scenario {name}: ' + ', '.join(f'{it} ({what})' for it, what in known.items()))
    return [name for name in known if name in names or not names]


def run_all(names, steps):
    """Returns whether something was not as it should."""
    failed = False
    for name in names:
        if name in SCRIPTS:
            if name == 'guide':
                use_generation('v2.7.0')  # whose list may have the cniVersion that the guide gives it
            failed |= run_script(name)
            if name == 'guide':
                apply(plain())
            steps.done(f'{name}: {SCRIPTS[name]}')
    letters = [name for name in names if name in SCENARIOS]
    return letters and run_letters(letters, steps) or failed


def run_letters(letters, steps):
    for name in NODES:
        kubectl('label', 'node', name, '--overwrite', f'plugin={"antrea" if name == CONTROL else "ours"}')
    install_ours()
    steps.done('the chart installed')
    rows = []
    for letter in letters:
        what, before, during, after = SCENARIOS[letter]
        before()
        rows += trouble(letter, what, during, None if letter == 'k' else CONTROL)
        after()
        steps.done(f'scenario {letter}: {what}')
        table = report.write(rows, f'{CLUSTER}/table.md')
    print(f'\n{table}\n')
    return report.judge(rows)
