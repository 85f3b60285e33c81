# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs scripts and scenarios, one after the other, and gathers the rows of the table."""
import subprocess
import time

import desk
import report
import uninstall
import window
from api import Api
from changes import apply, install_ours, plain, use_generation
from churn import Churn
from cri import StatusProbe
from held import CONTAINED, end_with_parent
from node import Node, Presence, Readiness
from scenarios import CONTROL, SCENARIOS
from staged import stage, unstage
from tools import CLUSTER, ENVIRONMENT, HERE, NODES, kubectl
from trio import TRIO

# What is not about Pods that come and go, on a cluster without the chart
SCRIPTS = {'guide': 'the blocks of docs/operations.md for a fleet', 'admission': 'what the API server takes of deploy/',
           'window': 'how long another plugin stands there when an agent starts',
           'desk': "kubectl's plugin, also where an agent, our Pod or our plugin is missing",
           'uninstall': 'helm uninstall, with a node that is away'}


def run_script(name):
    """Prints the last line that it said, or all of it if it failed."""
    roots = {f'ROOT_{name}': Node(name).path().rstrip('/') for name in NODES}
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
        if name not in SCRIPTS:
            continue
        if name == 'window':
            window.measure()
        elif name == 'desk':
            desk.show()
        elif name == 'uninstall':
            uninstall.with_a_node_away()
        elif name == 'guide':
            use_generation('v2.7.0')  # whose list may have the cniVersion that the guide gives it
            failed |= run_script(name)
            apply(plain())
        else:
            failed |= run_script(name)
        steps.done(f'{name}: {SCRIPTS[name]}')
    letters = [name for name in names if name in SCENARIOS]
    return letters and run_letters(letters, steps) or failed


def plugins(letter):
    """Returns what each node has."""
    if letter in TRIO:
        return {**dict.fromkeys(NODES, report.OURS), NODES[0]: report.CONTROL, NODES[-1]: report.STAGED}
    return {name: report.CONTROL if name == CONTROL and letter != 'k' else report.OURS for name in NODES}


def trouble(letter, what, during):
    """Makes Pods come and go, does `during`, and returns a row for each node."""
    nodes = [Node(name) for name in NODES]
    begun = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())
    churn = Churn(Api(), f'churn-{letter}-{int(time.time())}', NODES)
    churn.start()
    churn.wait_until_each_node_ran(3)
    presences, readiness, probes = [Presence(node) for node in nodes], Readiness(Api()), [StatusProbe(node) for node in nodes]
    deleted = during() or {}
    away = [presence.stop() for presence in presences]
    # A few Pods after it, whose calls do what was left to do.
    churn.wait_until_each_node_ran(2)
    finished, not_ready, status = churn.end(), readiness.stop(), [probe.stop() for probe in probes]
    return [{'scenario': f'{letter}: {what}', 'node': node.name, 'away': seconds, 'finished': finished,
             'plugin': plugins(letter)[node.name], 'alone': letter in TRIO, 'status': longest, 'deleted': deleted.get(node.name),
             'slowest_add': node.slowest_add(begun), 'not_ready': not_ready[node.name], 'left': node.left_behind(),
             **churn.figures(node.name)} for node, seconds, longest in zip(nodes, away, status)]


def run_letters(letters, steps):
    """Those with one node a plugin are first."""
    rows = []
    trio, others = [it for it in letters if it in TRIO], [it for it in letters if it not in TRIO]
    for number, name in enumerate(NODES):
        kubectl('label', 'node', name, '--overwrite', f'plugin={"ours" if number else "antrea"}')
    if trio:
        stage()
        steps.done('the component on one node')
    install_ours()
    steps.done('the chart installed')
    run_each(trio, rows, steps)
    if trio and others:
        unstage()
        steps.done('the component removed')
    run_each(others, rows, steps)
    print('\n' + report.write(rows, f'{CLUSTER}/table.md') + '\n')
    return report.judge(rows)


def run_each(letters, rows, steps):
    for letter in letters:
        what, before, during, after = SCENARIOS[letter]
        before()
        rows += trouble(letter, what, during)
        after()
        steps.done(f'scenario {letter}: {what}')
        report.write(rows, f'{CLUSTER}/table.md')
