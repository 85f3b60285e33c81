# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Pods that come and go on each node, a Job every few seconds and a Deployment that is scaled up and down, and what the
API server says of each: how long it took to run and to end, and what failed on the way.

A Job's Pod sends a packet to its gateway: it fails if its network does not work."""
import collections
import http.client
import sys
import threading
import time

from api import Watch

JOB_EVERY, SCALE_EVERY, LOW, HIGH = 3, 8, 1, 3


class Churn:
    def __init__(self, api, namespace, nodes):
        self.api, self.namespace, self.nodes = api, namespace, nodes
        self.base = f'/api/v1/namespaces/{namespace}'
        self.lock = threading.Lock()
        self.pods = {}      # by uid: what is known of it, and when that was seen
        self.failures = {}  # by the event's uid
        self.ending = threading.Event()
        self.changed = threading.Condition(self.lock)

    def start(self):
        self.api.ask('POST', '/api/v1/namespaces', {'metadata': {'name': self.namespace}})
        while self.api.request('GET', f'{self.base}/serviceaccounts/default')[0] != 200:
            time.sleep(0.1)
        self.watches = [Watch(self.api, f'{self.base}/pods', self.saw_pod), Watch(self.api, f'{self.base}/events', self.saw_event)]
        self.makers = [threading.Thread(target=make, args=(node, number), daemon=True)
                       for number, node in enumerate(self.nodes) for make in (self.make_jobs, self.scale)]
        for maker in self.makers:
            maker.start()

    # -- what it does
    def try_to(self, *request):
        """One that an API server under load does not answer is left out, and the next is made."""
        try:
            self.api.ask(*request)
        except (OSError, http.client.HTTPException) as error:
            print(f'{" ".join(request[:2])}: {error}', file=sys.stderr)

    def template(self, node, app, restart, command):
        return {'metadata': {'labels': {'app': app}}, 'spec': {
            'terminationGracePeriodSeconds': 1, 'restartPolicy': restart, 'automountServiceAccountToken': False,
            'nodeSelector': {'kubernetes.io/hostname': node}, 'containers': [
                {'name': 'pod', 'image': 'localhost/pod:latest', 'imagePullPolicy': 'Never', 'command': ['/bin/sh', '-c', command]}]}}

    def make_jobs(self, node, number):
        self.ending.wait(number * JOB_EVERY / len(self.nodes))
        count = 0
        while not self.ending.is_set():
            count += 1
            template = self.template(node, 'job', 'Never', 'set -- $(ip route show default); ping -c 1 -W 2 $3 && sleep 0.5')
            self.try_to('POST', f'/apis/batch/v1/namespaces/{self.namespace}/jobs', {
                'metadata': {'name': f'{node}-{count}'},
                'spec': {'backoffLimit': 3, 'ttlSecondsAfterFinished': 2, 'template': template}})
            self.ending.wait(JOB_EVERY)

    def scale(self, node, number):
        path = f'/apis/apps/v1/namespaces/{self.namespace}/deployments'
        template = self.template(node, node, 'Always', 'trap "exit 0" TERM; sleep 100000 & wait')
        self.api.ask('POST', path, {'metadata': {'name': node}, 'spec': {
            'replicas': LOW, 'selector': {'matchLabels': {'app': node}}, 'template': template}})
        replicas = LOW
        self.ending.wait(number * SCALE_EVERY / len(self.nodes))
        while not self.ending.wait(SCALE_EVERY):
            replicas = HIGH if replicas == LOW else LOW
            self.try_to('PATCH', f'{path}/{node}', {'spec': {'replicas': replicas}}, 'application/merge-patch+json')
        self.api.ask('DELETE', f'{path}/{node}')

    # -- what it sees
    def saw_pod(self, kind, it):
        now, meta, status = time.time(), it['metadata'], it.get('status', {})
        with self.changed:
            pod = self.pods.setdefault(meta['uid'], {'name': meta['name'], 'node': it['spec']['nodeSelector']['kubernetes.io/hostname'], 'made': now})
            states = [container.get('state', {}) for container in status.get('containerStatuses', [])]
            if any('running' in state or 'terminated' in state for state in states):
                pod.setdefault('ran', now)
            # One that is ended before it ran is Failed, too.
            if status.get('phase') == 'Failed' and 'failed' not in pod and not meta.get('deletionTimestamp'):
                pod['failed'] = self.why(meta['name'], status)
            if meta.get('deletionTimestamp'):
                pod.setdefault('ending', now)
            if kind == 'DELETED':
                pod['gone'] = now
            self.changed.notify_all()

    def why(self, name, status):
        """What a Pod that failed printed, and its address."""
        connection = self.api.connect(5)
        connection.request('GET', f'{self.base}/pods/{name}/log')
        return f'{status.get("podIP")}: {status.get("message", "")} {connection.getresponse().read().decode()}'.replace('\n', ' ')

    def saw_event(self, kind, it):
        if kind != 'DELETED' and it.get('reason') in ('FailedCreatePodSandBox', 'FailedKillPod'):
            with self.lock:
                self.failures[it['metadata']['uid']] = {
                    'reason': it['reason'], 'pod': it['involvedObject'].get('uid'), 'times': it.get('count') or 1,
                    'message': it.get('message', '')}

    def ran(self):
        """How many Pods of each node ran."""
        return collections.Counter(pod['node'] for pod in self.pods.values() if 'ran' in pod)

    def wait_until_each_node_ran(self, count, seconds=150):
        """Waits until that many more Pods of each node ran."""
        with self.lock:
            before = self.ran()

        def enough():
            ran = self.ran()
            return all(ran[node] - before[node] >= count for node in self.nodes)
        with self.changed:
            if not self.changed.wait_for(enough, seconds):
                raise RuntimeError(f'{count} Pods of each node did not run in {seconds} s')

    def end(self, seconds=150):
        """Ends the making of Pods, and waits until all of them ran and are gone. Returns whether they are."""
        self.ending.set()
        for maker in self.makers:
            maker.join()
        with self.changed:
            done = self.changed.wait_for(lambda: all('gone' in pod for pod in self.pods.values()), seconds)
        for watch in self.watches:
            watch.stop()
        self.api.ask('DELETE', f'/api/v1/namespaces/{self.namespace}')
        return done

    def figures(self, node):
        """What happened to the Pods of a node."""
        with self.lock:
            pods = {uid: pod for uid, pod in self.pods.items() if pod['node'] == node}
            met = collections.defaultdict(list)
            for failure in self.failures.values():
                if failure['pod'] in pods:
                    met[failure['reason']].append(failure)
            up = sorted(pod['ran'] - pod['made'] for pod in pods.values() if 'ran' in pod)
            down = sorted(pod['gone'] - pod['ending'] for pod in pods.values() if 'gone' in pod and 'ending' in pod)
        return {
            'pods': len(pods), 'failed': [f'{pod["name"]}: {pod["failed"]}' for pod in pods.values() if 'failed' in pod],
            'not_started': {failure['pod'] for failure in met['FailedCreatePodSandBox']},
            'not_ended': {failure['pod'] for failure in met['FailedKillPod']},
            'messages': [(failure['reason'], failure['times'], failure['message']) for reason in met for failure in met[reason]],
            'never_ran': len(pods) - len(up), 'median': up[len(up) // 2] if up else None, 'slowest': up[-1] if up else None,
            'slowest_end': down[-1] if down else None}
