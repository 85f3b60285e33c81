# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""cluster.py up: builds what is missing, starts a cluster with agents, and leaves it running.
cluster.py down: ends it.
cluster.py build: builds what is missing of what takes long.
cluster.py run [SCENARIO...]: starts one, runs the scenarios (all of them without a name), ends it.

Called by cluster.sh, which sets the environment (env.sh)."""
import os
import signal
import subprocess
import sys
import time

from api import Api
from held import CONTAINED, end_with_parent, lock, remove_what_is_left
from tools import CLUSTER, COMPONENTS, HERE, NODES, RUNNING, Steps, kubectl, rolled_out


def refuse_a_second():
    """Ends if a cluster runs in this folder, and removes what one that was killed left there."""
    if not (held := lock()):
        sys.exit(f'FAILED: a cluster runs in {CLUSTER}: make cluster-down')
    remove_what_is_left()
    held.close()


def contained(words, **more):
    return subprocess.run([*CONTAINED, '--mount-proc', *words], preexec_fn=end_with_parent, **more)


def build(steps):
    """Builds what is missing of what takes long. It is kept."""
    for what, program in (('the control plane', 'components'), ('the nodes\' files', 'node')):
        log = f'{CLUSTER}/build-{program}.log'
        with open(log, 'w') as file:
            done = contained(['bash', f'{HERE}/build-{program}.sh'], stdout=file, stderr=file)
        if done.returncode:
            sys.exit(f'FAILED: {what} cannot be built: see {log}')
        steps.done(f'{what} ' + ('built' if os.path.getsize(log) else 'there'))


def build_images(steps):
    """make built the programs of this project before."""
    contained(['bash', f'{HERE}/build-images.sh'], check=True)
    steps.done('images')


def start(steps, follow):
    """Starts a cluster that ends with the other end of the pipe `follow`."""
    with open(f'{CLUSTER}/supervise.log', 'w') as log:
        supervisor = subprocess.Popen([sys.executable, f'{HERE}/supervise.py', str(follow)], start_new_session=True,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[follow])

    def until(what, test):
        end = time.monotonic() + 180
        while not test():
            if supervisor.poll() is not None or time.monotonic() > end:
                sys.exit(f'FAILED: {what}: see {CLUSTER}/supervise.log and {RUNNING}/log')
            time.sleep(0.1)

    until('no API server', lambda: os.path.exists(f'{RUNNING}/admin.conf') and Api().is_ready())
    steps.done('API server ready')
    until('no nodes', lambda: len(Api().ask('GET', '/api/v1/nodes')['items']) == len(NODES))
    steps.done(f'{len(NODES)} nodes registered')
    kubectl('apply', '--server-side', '-f', f'{HERE}/agent/antrea.yaml')
    kubectl('wait', '--for=condition=Ready', '--timeout=180s', 'node', '--all')
    rolled_out('antrea-agent')
    steps.done('agents and nodes ready')


def end_supervisor():
    with open(f'{CLUSTER}/lock') as file:
        pid = file.read()
    try:
        with open(f'/proc/{pid}/cmdline') as file:
            if 'supervise.py' in file.read():
                os.kill(int(pid), signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        pass  # It is ending.


def end():
    """Ends the cluster of this folder, and waits until nothing of it is left."""
    if not (held := lock()):
        end_supervisor()
        held = lock(wait=True)
    remove_what_is_left()
    held.close()


def up():
    refuse_a_second()
    steps = Steps()
    build(steps)
    build_images(steps)
    follow, alive = os.pipe()
    try:
        start(steps, follow)
        os.write(alive, b'+')  # It stays.
    except BaseException:
        end()
        raise
    print(f'\nexport KUBECONFIG={RUNNING}/admin.conf PATH={COMPONENTS}:$PATH\nkubectl get nodes')


def down():
    steps = Steps()
    end()
    steps.done('nothing is left')


def run(names):
    import runner
    wanted = runner.chosen(names)
    refuse_a_second()
    steps = Steps()
    build(steps)
    build_images(steps)
    # Its other end is closed with this process, however that ends.
    follow, alive = os.pipe()
    try:
        start(steps, follow)
        failed = runner.run_all(wanted, steps)
    finally:
        os.close(alive)
        end()
        steps.done('nothing is left')
    sys.exit(1 if failed else 0)


def main():
    # Both raise KeyboardInterrupt, so that what was started is ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    command, *words = sys.argv[1:]
    {'up': up, 'down': down, 'build': lambda: build(Steps()), 'run': lambda: run(words)}[command]()


if __name__ == '__main__':
    main()
