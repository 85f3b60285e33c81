#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""prometheus.py URL UP ABSENT SECONDS: waits until a Prometheus has evaluated each of its rules without an error, `up` of
the job antrea-cni is UP, the alert AntreaCNIMetricsStale follows it, and AntreaCNIMetricsAbsent is in the state ABSENT."""
import json
import sys
import time
import urllib.parse
import urllib.request

url, up, absent, seconds = sys.argv[1:]


def ask(path):
    with urllib.request.urlopen(f'{url}/api/v1/{path}', timeout=5) as answer:
        return json.load(answer)['data']


def lacks():
    """Returns what is not as it should be."""
    rules = [rule for group in ask('rules')['groups'] for rule in group['rules']]
    states = {rule['name']: rule['state'] for rule in rules}
    values = [it['value'][1] for it in ask('query?' + urllib.parse.urlencode({'query': 'up{job="antrea-cni"}'}))['result']]
    return [f'{rule["name"]}: {rule["health"]} {rule.get("lastError", "")}' for rule in rules if rule['health'] != 'ok'] + [
        f'{what}: {is_}, not {should}' for what, is_, should in (
            ('rules', len(rules) > 0, True), ('up', values, [up]),
            ('AntreaCNIMetricsStale', states.get('AntreaCNIMetricsStale'), 'inactive' if up == '1' else 'pending'),
            ('AntreaCNIMetricsAbsent', states.get('AntreaCNIMetricsAbsent'), absent)) if is_ != should]


end = time.monotonic() + float(seconds)
while True:
    try:
        wrong = lacks()
    except OSError as error:
        wrong = [str(error)]
    if not wrong:
        break
    if time.monotonic() > end:
        sys.exit('\n'.join(wrong))
    time.sleep(0.2)
