# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""kubectl and helm of the cluster that runs, and what each step took."""
import os
import subprocess
import time

from held import end_with_parent

BUILT, CLUSTER, COMPONENTS, HERE, REPOSITORY, RUNNING = (
    os.environ[name] for name in ('BUILT', 'CLUSTER', 'COMPONENTS', 'HERE', 'REPOSITORY', 'RUNNING'))
NODES = [f'n{number + 1}' for number in range(int(os.environ['NODES']))]
# What the guide's commands find
ENVIRONMENT = {**os.environ, 'KUBECONFIG': f'{RUNNING}/admin.conf', 'HELM_CACHE_HOME': f'{CLUSTER}/helm',
               'HELM_CONFIG_HOME': f'{CLUSTER}/helm', 'HELM_DATA_HOME': f'{CLUSTER}/helm',
               'PATH': f'{REPOSITORY}/target/deploy:{COMPONENTS}:{REPOSITORY}/target/dist-build/x86_64-unknown-linux-musl/release:{os.environ["PATH"]}'}


class Steps:
    """Says what each step took."""

    def __init__(self):
        self.begun = self.last = time.monotonic()

    def done(self, what):
        now = time.monotonic()
        print(f'{now - self.begun:6.0f} s: {what} ({now - self.last:.1f} s)', flush=True)
        self.last = now


def run(*words, **more):
    """Runs a command in the cluster's environment, and returns what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, env=ENVIRONMENT, preexec_fn=end_with_parent, **more)
    if done.returncode:
        raise RuntimeError(f'{" ".join(words)}: {done.stderr.strip() or done.stdout.strip()}')
    return done.stdout


def kubectl(*words, **more):
    return run(f'{COMPONENTS}/kubectl', *words, **more)


def helm(*words, **more):
    return run(f'{REPOSITORY}/target/deploy/helm', '--namespace', 'kube-system', *words, **more)


def rolled_out(daemonset):
    """Waits until a DaemonSet of kube-system is rolled out."""
    kubectl('-n', 'kube-system', 'rollout', 'status', f'daemonset/{daemonset}', '--timeout=300s')
