# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""One node a plugin: on the last node the agents of the kustomize component `encap`, as a DaemonSet beside Antrea's."""
from api import Api
from changes import apply, as_kustomized, every_agent_rolled_out, plain
from tools import NODES, kubectl, rolled_out

NAME = 'antrea-agent-staged'
# Antrea's DaemonSet with the component, under another name; a DaemonSet's Pods are told apart by their labels.
PATCHES = f'''
patches:
  - target: {{kind: DaemonSet, name: antrea-agent}}
    options: {{allowNameChange: true}}
    patch: |
      - {{op: replace, path: /metadata/name, value: {NAME}}}
      - {{op: add, path: /spec/selector/matchLabels/plugin, value: staged}}
      - {{op: add, path: /spec/template/metadata/labels/plugin, value: staged}}
      - {{op: add, path: /spec/template/spec/nodeSelector/plugin, value: staged}}
'''


def keep_off(affinity):
    Api().ask('PATCH', '/apis/apps/v1/namespaces/kube-system/daemonsets/antrea-agent',
              {'spec': {'template': {'spec': {'affinity': affinity}}}}, 'application/merge-patch+json')


def stage():
    expression = {'key': 'plugin', 'operator': 'NotIn', 'values': ['staged']}
    kubectl('label', 'node', NODES[-1], '--overwrite', 'plugin=staged')
    keep_off({'nodeAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': {
        'nodeSelectorTerms': [{'matchExpressions': [expression]}]}}})
    apply(as_kustomized(PATCHES))
    every_agent_rolled_out()


def unstage():
    """Antrea's own installer writes everything anew."""
    kubectl('-n', 'kube-system', 'delete', 'daemonset', NAME, '--cascade=foreground', '--wait')
    kubectl('label', 'node', NODES[-1], '--overwrite', 'plugin=ours')
    keep_off(None)
    apply(plain())
    rolled_out('antrea-cni')
