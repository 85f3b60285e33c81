# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""The table with one row a scenario and one column a plugin, for scenarios with one node a plugin."""


def seconds(value):
    return '–' if value is None else f'{value:.1f} s'


def cell(row):
    """What happened on the node of one plugin."""
    said = [f'{len(row["not_started"])}, {len(row["not_ended"])} of {row["pods"]}', seconds(row['slowest']),
            f'Status {seconds(row["status"])}']
    if row['not_ready']:
        said.append(f'NotReady {seconds(row["not_ready"])}')
    if row['deleted'] is not None:
        said.append(f'gone after {seconds(row["deleted"])}')
    if sum(row['left']):
        said.append(f'left: {row["left"][0]} addresses, {row["left"][1]} links')
    return '; '.join(said)


def table(rows):
    """Returns its lines. The longest time without an agent is that of the nodes together."""
    scenarios = {}
    for row in rows:
        scenarios.setdefault(row['scenario'], []).append(row)
    plugins = [row['plugin'] for row in next(iter(scenarios.values()))]
    head = ['scenario', *plugins, 'longest without an agent']
    lines = [head, ['---'] * len(head)]
    for scenario, nodes in scenarios.items():
        lines.append([scenario, *map(cell, nodes), ', '.join(seconds(row['away']) for row in nodes)])
    return ['| ' + ' | '.join(it) + ' |' for it in lines]
