# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""What happens to agents, plugin and nodes while Pods come and go. Antrea's kind of plugin is on the first node, and this
project's on the others, which its chart puts there, in the very same trouble."""
import time

from changes import (at_once, chained, install_ours, kustomized, no_agent_on, power_cut, reboot, restart_agents, test_ours,
                     unchained, uninstall_ours, unkustomized, upgrade_ours, use_cni_version, use_generation, use_generations)
from node import Node
from tools import NODES, helm, kubectl, rolled_out

CONTROL, OURS = NODES[0], NODES[1:]
GENERATIONS = ['v1.0.3', 'v1.8.0', 'v2.7.0', 'v3.0.0']
SCENARIOS = {}


def scenario(letter, what, before=lambda: None, after=lambda: None):
    def add(function):
        SCENARIOS[letter] = (what, before, function, after)
        return function
    return add


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
        test_ours()
        uninstall_ours()
        install_ours()
    at_once(lambda: use_generations('v2.7.0', 'v3.0.0'), chart)


@scenario('k', "rolling upgrade v1.8.0, v2.7.0, v3.0.0, with the kustomize component on all nodes", kustomized, unkustomized)
def upgraded_kustomized():
    use_generations('v2.7.0', 'v3.0.0')


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
        power_cut(names)
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
