# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scenarios with one node a plugin, in the very same trouble: Antrea's kind, this project's beside it (the chart), and
this project's with Antrea's installer in staging folders (the kustomize component)."""
from agents import away, deleted_meanwhile, not_ready_for, ready_at_once
from changes import restart_agents, until_lists_are_old, use_cni_version, use_generation, use_generations
from scenarios import SCENARIOS, scenario
from tools import NODES

BEFORE = set(SCENARIOS)


def one_generation():
    """As on a node whose agent has been there for a while."""
    use_generation('v2.7.0')
    until_lists_are_old()


def first_of_upgrade():
    use_generation('v1.8.0')
    until_lists_are_old()


@scenario('p', 'agents away for 50 s', one_generation)
def away_50():
    away(50)


@scenario('q', 'agents away for 100 s', one_generation)
def away_100():
    away(100)


@scenario('r', 'agents there, and their network ready after 45 s', one_generation, ready_at_once)
def not_ready_45():
    not_ready_for(45)


@scenario('s', 'agents there, and their network ready after 75 s', one_generation, ready_at_once)
def not_ready_75():
    not_ready_for(75)


@scenario('l', 'the first list of 1.1.0', one_generation, lambda: use_cni_version('0.3.0'))
def first_list():
    use_cni_version('1.1.0')


@scenario('u', 'rolling upgrade v1.8.0, v2.7.0, v3.0.0, and agents restarted', first_of_upgrade)
def upgraded():
    use_generations('v2.7.0', 'v3.0.0')
    restart_agents()


@scenario('t', 'a Pod on each node deleted while its ADD waits, with the network ready after 75 s', one_generation, ready_at_once)
def deleted_not_ready():
    return not_ready_for(75, deleted_meanwhile)


@scenario('v', 'a Pod on each node deleted while its ADD waits, with agents away for 50 s', one_generation)
def deleted_away():
    return away(50, deleted_meanwhile)


TRIO = [letter for letter in SCENARIOS if letter not in BEFORE]
if len(NODES) < 3:
    for letter in TRIO:
        del SCENARIOS[letter]
