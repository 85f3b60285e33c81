# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Agents that are away, or there and not ready, on all nodes at once."""
import concurrent.futures
import os
import re
import time

from api import Api
from changes import agents, every_agent_rolled_out, wait_until
from node import Node
from tools import NODES

# What an agent's start takes until its socket is there, about
START = 4


def patch(spec, template):
    for name in agents():
        Api().ask('PATCH', f'/apis/apps/v1/namespaces/kube-system/daemonsets/{name}',
                  {'spec': {**spec, 'template': {'spec': template}}}, 'application/strategic-merge-patch+json')


def away(seconds, meanwhile=lambda: None):
    """No node is one for an agent, and then all are. Returns what `meanwhile` returns."""
    patch({}, {'nodeSelector': {'away': 'true'}})
    for name in NODES:
        wait_until(f'no agent on {name}', lambda: not Node(name).agent_pids(), 60)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        result = pool.submit(meanwhile)
        time.sleep(seconds - START)  # what is to be shown
        patch({}, {'nodeSelector': {'away': None}})
        every_agent_rolled_out()
        return result.result()


def use_options(options):
    """Starts all agents at once with these options."""
    patch({'updateStrategy': {'rollingUpdate': {'maxUnavailable': '100%'}}},
          {'containers': [{'name': 'antrea-agent', 'env': [{'name': 'EXTRA_OPTIONS', 'value': options}]}]})
    every_agent_rolled_out()
    patch({'updateStrategy': {'rollingUpdate': {'maxUnavailable': 1}}}, {})


def not_ready_for(seconds, meanwhile=lambda: None):
    """Returns what `meanwhile` returns."""
    use_options(f'--network-ready-after {seconds}')
    with concurrent.futures.ThreadPoolExecutor() as pool:
        result = pool.submit(meanwhile)
        time.sleep(seconds)  # what is to be shown
        return result.result()


def ready_at_once():
    use_options('')


def has_add(pod):
    """Returns whether a process on this machine is an ADD of a Pod."""
    for entry in os.listdir('/proc'):
        try:
            with open(f'/proc/{entry}/environ', 'rb') as file:
                environment = file.read()
        except OSError:
            continue
        if b'CNI_COMMAND=ADD\0' in environment and re.search(rf'K8S_POD_NAME={pod}[;\0]'.encode(), environment):
            return True
    return False


def deleted_meanwhile():
    """Makes a Pod on each node, and deletes it while its ADD is in flight, or when one has failed. Returns, by node, how
    many seconds after it the Pod is gone."""
    api, path = Api(), '/api/v1/namespaces/default/pods'
    begun, gone = {}, {}
    for node in NODES:
        api.ask('POST', path, {'metadata': {'name': f'deleted-{node}'}, 'spec': {
            'nodeName': node, 'terminationGracePeriodSeconds': 1, 'automountServiceAccountToken': False,
            'containers': [{'name': 'pod', 'image': 'localhost/pod:latest', 'imagePullPolicy': 'Never', 'command': ['sleep', '1000']}]}})

    def has_failed(pod):
        selector = f'involvedObject.name={pod},reason=FailedCreatePodSandBox'
        return api.ask('GET', f'/api/v1/namespaces/default/events?fieldSelector={selector}')['items']

    def deletes_as_they_wait():
        for node in NODES:
            if node not in begun and (has_add(f'deleted-{node}') or has_failed(f'deleted-{node}')):
                api.ask('DELETE', f'{path}/deleted-{node}')
                begun[node] = time.monotonic()
        return len(begun) == len(NODES)

    def are_gone():
        for node in begun:
            if node not in gone and api.request('GET', f'{path}/deleted-{node}')[0] == 404:
                gone[node] = time.monotonic()
        return len(gone) == len(NODES)
    wait_until('the ADD of each Pod', deletes_as_they_wait, 90)
    wait_until('the Pods gone', are_gone, 120)
    return {node: gone[node] - begun[node] for node in NODES}
