# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""The table of what happened, and whether it is what should."""
import collections
import re

import compared

CONTROL, OURS, STAGED = "Antrea's kind", 'this one', 'this one, staged'
HEAD = ('scenario', 'node', 'plugin', 'Pods', 'met FailedCreatePodSandBox', 'met FailedKillPod', 'failed',
        'Running after (median, slowest)', 'gone after (slowest)', 'slowest ADD', 'longest without an agent', 'not Ready',
        'longest Status of the runtime', 'left: addresses, links')
# Agents that take calls and do not answer at once, and agents that are away for longer than an ADD waits.
NOT_READY, TOO_LONG = 'grst', 'q'
MOST_OF_STATUS = 25
# What a runtime meets while an installer writes a plugin or the list in its place.
WRITTEN = ('permission denied', 'text file busy', 'failed to find plugin', 'no such file or directory', 'cni plugin not initialized')


def seconds(value):
    return '–' if value is None else f'{value:.1f} s'


def cells(row):
    return (row['scenario'], row['node'], row['plugin'], row['pods'], len(row['not_started']), len(row['not_ended']), len(row['failed']),
            f'{seconds(row["median"])}, {seconds(row["slowest"])}', seconds(row['slowest_end']), seconds(row['slowest_add']), seconds(row['away']), seconds(row['not_ready']),
            seconds(row['status']), ', '.join(map(str, row['left'])))


def author(message):
    """Who failed."""
    if 'the other plugin: ' in message:
        return CONTROL
    if 'KillContainerError' in message and 'KillPodSandboxError' not in message:
        return 'the runtime'
    return 'an installer' if any(it in message for it in WRITTEN) else OURS


def without_names(message):
    message = re.sub(r'[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', message)
    return re.sub(r'\bn\d+-[a-z0-9]+-[a-z0-9]{5}\b', 'POD', message)


def messages(rows):
    """What was said, with its author, on whose node."""
    said = collections.Counter()
    for row in rows:
        for failed in row['failed']:
            said[row['scenario'][0], row['plugin'], 'a Pod', 'failed', failed] += 1
        for reason, times, message in row['messages']:
            said[row['scenario'][0], row['plugin'], author(message), reason, without_names(message)[-300:]] += times
    return [f'* {letter}, with {plugin}: {times} {reason} of {who}: {message}'
            for (letter, plugin, who, reason, message), times in sorted(said.items())]


def faults(rows):
    """What should not be, and is this project's."""
    for row in rows:
        if row['plugin'] == CONTROL:
            continue
        events = collections.Counter(reason for reason, _, message in row['messages'] if author(message) == OURS)
        # One that had an answer was ended by the reboot of its node.
        failed = [it for it in row['failed'] if '1 packets received' not in it]
        found = {'Pods without a network': len(failed), 'addresses and links left': sum(row['left']),
                 'Pods that do not come or go': 0 if row['finished'] else 1}
        letter = row['scenario'][0]
        # Where twenty ADDs wait, the agent's return is followed by twenty at once.
        if letter not in NOT_READY and not row['alone']:
            found['ADD that took longer than its agent was away and 2 s'] = (row['slowest_add'] or 0) > row['away'] + 2
        if row['alone']:
            found['Status that took too long'] = row['status'] > MOST_OF_STATUS
            found['node NotReady'] = row['not_ready'] > 0
            found['FailedKillPod'] = events['FailedKillPod']
        # Beside Antrea an ADD that meets a rewritten list ends before the runtime is blocked for long.
        if letter not in NOT_READY + TOO_LONG or row['plugin'] == STAGED and letter not in TOO_LONG:
            found.update(events)
        bad = [f'{int(count)} {what}' for what, count in found.items() if count]
        if bad:
            yield f'{row["scenario"]}, {row["node"]}: {", ".join(bad)}'


def write(rows, path):
    """Writes the table, and returns it."""
    lines = ['| ' + ' | '.join(map(str, it)) + ' |' for it in (HEAD, ['---'] * len(HEAD), *map(cells, rows))]
    alone = [row for row in rows if row['alone']]
    text = '\n'.join([*lines, '', *(compared.table(alone) if alone else []), '', *messages(rows)])
    with open(path, 'w') as file:
        file.write(text + '\n')
    return text


def judge(rows):
    """Says what is not as it should, and returns whether anything is."""
    bad = list(faults(rows))
    control = [row for row in rows if row['plugin'] == CONTROL and not row['scenario'].startswith('g')]
    if control and not any(row['not_started'] or row['not_ended'] for row in control):
        bad.append('nothing happened to Antrea\'s kind of plugin, so this proves nothing')
    for it in bad:
        print(f'FAILED: {it}')
    return bool(bad)
