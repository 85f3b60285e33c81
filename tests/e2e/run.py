# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Real runtimes: containerd (of this Debian, and 2.x from sid) and podman run the plugin, the plugin asks the reference
agent, and the agent has the real bridge plugin make the network.

run.py WORKDIR PLUGIN [SCENARIO...]    WORKDIR as setup.sh made it, with the agent at WORKDIR/bin/agent

Each scenario runs in mount, network and process namespaces of its own. Prints a line for each, and last
"N passed, N failed, N skipped".
"""
import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from box import GATEWAY, IMAGE, Box, sh, wait_for
from cri import Error

SKIPPED = 77


class Skipped(Exception):
    """What the machine lacks."""


PORTMAP = {'type': 'portmap', 'capabilities': {'portMappings': True}}


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def clean(box):
    left = box.leaks()
    expect(left == (0, 0, 0), f'left behind: {left[0]} veth, {left[1]} addresses, {left[2]} netns')


def up_and_down(box, cri, name, version):
    """A Pod: address, ping of the gateway, gone without a trace."""
    pod_config = cri.config(name, f'uid-{name}', box.cgroup, ports=[(80, 8080)])
    pod = cri.run_pod(pod_config)
    expect(cri.pod_ip(pod).startswith('10.88.'), f'address {cri.pod_ip(pod)}')
    container = cri.start_container(pod, pod_config, IMAGE, ['/bin/sleep', '100'])
    status, text = cri.exec(container, ['/bin/ping', '-c', '1', '-W', '2', GATEWAY])
    expect(status == 0, f'ping: {text}')
    cri.remove_container(container)
    cri.stop_pod(pod)
    cri.remove_pod(pod)
    adds, dels = ([c for c in box.calls(m) if json.loads(c['network_configuration'])['name'] == name] for m in ('CmdAdd', 'CmdDel'))
    expect(adds and len(dels) >= 2 and dels[-1]['netns'] == '', f'{len(adds)} ADD, {len(dels)} DEL')
    ports = json.loads(adds[-1]['network_configuration'])['runtimeConfig']['portMappings']
    expect(ports[0]['HostPort'] == 8080, f'runtimeConfig {ports}')
    return adds, dels


def pod(box):
    """A Pod with each generation of agent, with the cniVersion that Antrea ships and with a later one."""
    cri = box.containerd()
    for number, (api, version) in enumerate([('v1', '1.0.0'), ('v1beta1', '0.3.0'), ('vmware', '0.4.0'), ('first', '0.3.1')]):
        agent = box.agent(api)
        name = f'net{number}'
        box.conflist(name, version, chain=[PORTMAP])
        expect(box.loaded(cri, name), 'conflist not loaded')
        up_and_down(box, cri, name, version)
        clean(box)
        box.kill(agent)
    return '4 generations: address, ping, port mapping, two DELs'


def fails(box):
    """An ADD that fails is followed by a DEL."""
    cri = box.containerd()
    box.agent('v1beta1', script={'ADD': {'error': {'code': 101, 'message': 'no addresses left'}}})
    box.conflist('fails', '1.0.0')
    expect(box.loaded(cri, 'fails'), 'conflist not loaded')
    try:
        cri.run_pod(cri.config('fails', 'uid-fails', box.cgroup))
        raise AssertionError('the Pod ran')
    except Error as e:
        expect('no addresses left' in str(e), str(e))
    expect([c['path'].split('/')[-1] for c in box.calls()] == ['CmdAdd', 'CmdDel'], 'no DEL')
    clean(box)
    return 'the message reaches the CRI client, DEL follows'


def translation(box, version, cri_name):
    """antrea + portmap in a cniVersion that the agent refuses."""
    cri = box.containerd()
    box.agent('v1beta1', accepts='0.1.0,0.2.0,0.3.0,0.3.1,0.4.0')
    box.conflist('lower', version, chain=[PORTMAP])
    expect(box.loaded(cri, 'lower'), 'conflist not loaded')
    adds, dels = up_and_down(box, cri, 'lower', version)
    sent = [json.loads(c['network_configuration'])['cniVersion'] for c in adds]
    expect(sent[0] == version and sent[-1] == '0.4.0', f'sent as {sent}')
    clean(box)
    return f'{cri_name}: a {version} list works with an agent that accepts 0.4.0, sent as {", ".join(sent)}'


def cnitool(box):
    """libcni itself: antrea + portmap in 1.1.0, and an agent that accepts 0.4.0."""
    if not os.path.exists(f'{box.work}/bin/cnitool'):
        raise Skipped('cnitool needs Go')
    box.agent('first', accepts='0.1.0,0.2.0,0.3.0,0.3.1,0.4.0')
    box.conflist('libcni', '1.1.0', chain=[PORTMAP])
    # The namespace is made where the agent and its bridge plugin look for it.
    sh(*box.argv('sh', '-ec', 'touch /run/netns/pod; unshare --net=/run/netns/pod true'))
    env = {**os.environ, 'NETCONFPATH': f'{box.dir}/net.d', 'CNI_PATH': f'{box.dir}/bin',
           'CAP_ARGS': json.dumps({'portMappings': [{'hostPort': 8080, 'containerPort': 80, 'protocol': 'tcp'}]})}
    for verb in ('status', 'add', 'check', 'gc', 'del'):
        out = sh(*box.argv(f'{box.work}/bin/cnitool', verb, 'libcni', '/run/netns/pod'), env=env)
        if verb == 'add':
            result = json.loads(out.stdout)
            expect(result['cniVersion'] == '1.1.0' and 'version' not in result['ips'][0], f'result {out.stdout}')
            expect(box.leaks()[:2] == (1, 1), f'no interface: {box.leaks()}')
    sh(*box.argv('sh', '-ec', 'umount /run/netns/pod; rm /run/netns/pod'))
    clean(box)
    return 'status, add, check, gc, del of a 1.1.0 list'


def status(box):
    """STATUS: ready, through a short restart, and not when the agent is gone for good."""
    cri = box.containerd()
    agent = box.agent('v1beta1')
    box.conflist('status', '1.1.0', settings={'waitForAgentSeconds': 5})
    expect(box.loaded(cri, 'status'), 'conflist not loaded')

    def ready():
        return cri.status()[0]['NetworkReady'][0]
    expect(wait_for(ready, 30), 'never ready')
    box.kill(agent)
    end, flaps = time.monotonic() + 2, 0
    while time.monotonic() < end:
        flaps += not ready()
        time.sleep(0.1)
    agent = box.agent('v1')
    expect(ready() and not flaps, f'{flaps} flaps in a restart of 2 s')
    box.kill(agent)
    gone = time.monotonic()
    expect(wait_for(lambda: not ready(), 15), 'ready for ever')
    return f'no flap in 2 s without an agent; not ready {time.monotonic() - gone:.1f} s after the agent was gone for good'


def sixty_pods(box, cri, replace, again=False):
    """60 Pods, 8 at a time, while `replace(done)` does what it does until `done` is set. Gives what it gave, the errors of
    Pods that were lost and of stops that failed, and what is left behind. A kubelet tries a stop `again`; those are
    counted, too."""
    done, retried = threading.Event(), []

    def stop(pod):
        try:
            cri.stop_pod(pod)
            cri.remove_pod(pod)
        except Error as e:
            if not again:
                raise
            retried.append(str(e))
            time.sleep(1)
            cri.stop_pod(pod)
            cri.remove_pod(pod)

    def life(number):
        time.sleep(number * 0.25)
        try:
            config = cri.config(f'p{number}', f'uid-{number}', box.cgroup)
            pod = cri.run_pod(config)
        except Error as e:
            return ('lost', str(e))
        time.sleep(0.5)
        try:
            stop(pod)
        except Error as e:
            return ('stop', str(e))
        return None

    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        replacing = pool.submit(replace, done)
        with concurrent.futures.ThreadPoolExecutor(8) as pods:
            results = list(pods.map(life, range(60)))
        done.set()
        replaced = replacing.result()
    lost = [r[1] for r in results if r and r[0] == 'lost']
    stops = [r[1] for r in results if r and r[0] == 'stop']
    return replaced, lost, stops, retried, box.leaks()


GENERATIONS = ['v1beta1', 'v1', 'first', 'vmware', 'v1,v1beta1']


def sixty(box, seed=0):
    """60 Pods, 8 at a time, while the agent and what it runs is killed every 2 s or so."""
    cri = box.containerd()
    rng = random.Random(seed)
    slow = box.slow_delegate(0.3)
    agents = [box.agent('v1beta1', delegate=slow)]
    box.conflist('sixty', '1.0.0', chain=[PORTMAP])
    expect(box.loaded(cri, 'sixty'), 'conflist not loaded')

    def replace(done):
        number = 0
        while not done.wait(rng.uniform(1.6, 2.4)):
            box.kill(agents.pop())
            number += 1
            done.wait(rng.uniform(0.3, 0.9))
            agents.append(box.agent(GENERATIONS[number % len(GENERATIONS)], delegate=slow))
        return number

    kills, lost, stops, _, left = sixty_pods(box, cri, replace)
    what = f'seed {seed}: 60 Pods, {kills} agents killed: {len(lost)} lost, {len(stops)} stops failed, left behind {left}'
    expect(not lost and not stops and left == (0, 0, 0), what + ''.join(f'\n    {e}' for e in (lost + stops)[:3]))
    return what


def upgrade(box, seed, kept=True):
    """60 Pods while everything is upgraded at once: every 2 s an agent of another generation, at whose start plugin and
    list are written as Antrea's installer does; our plugin is replaced by `install` and `rollback` in between, and the
    list is raised to 1.1.0 and taken back. A keeper is beside it, or not."""
    ctl, foreign = f'{box.work}/bin/antrea-cnictl', f'{box.work}/bin/one-api'
    for program in (ctl, foreign):
        if not os.path.exists(program):
            raise Skipped('make ctl, and the example one_api_plugin')
    cri = box.containerd()
    rng = random.Random(seed)
    slow = box.slow_delegate(0.3)
    agents = [box.agent('v1beta1', delegate=slow)]
    ours, newer, net_d = f'{box.dir}/ours', f'{box.dir}/newer', f'{box.dir}/net.d'
    shutil.copy(box.plugin, ours)
    shutil.copy(box.plugin, newer)
    with open(newer, 'ab') as f:
        f.write(b'newer')
    # The ConfigMap that the next start of the agent's Pod writes.
    written = []
    for version in ('0.3.0', '1.0.0', '1.1.0'):
        box.conflist('upgrade', version, chain=[PORTMAP], where=f'{box.dir}/lists/{version}')
        written.append(open(f'{box.dir}/lists/{version}/10-e2e.conflist').read())

    def install(*words):
        # In the tree of the runtime, whose other plugins are asked.
        return sh(*box.argv(ctl, 'install', '--bin-dir', f'{box.dir}/bin', '--conf-dir', net_d, *words))

    with open(f'{net_d}/10-e2e.conflist', 'w') as f:
        f.write(written[1])
    if kept:
        keeper = box.start('keeper.log', ctl, 'install', '--from', ours, '--bin-dir', f'{box.dir}/bin', '--conf-dir', net_d,
                           '--keep', '30s', '--set', f'logFile={box.dir}/log/plugin.log')
    else:
        keeper = None
        install('--from', ours, '--set', f'logFile={box.dir}/log/plugin.log')
    expect(box.loaded(cri, 'upgrade'), 'conflist not loaded')

    def start_of_the_agents_pod():
        os.unlink(box.plugin)
        with open(foreign, 'rb') as source, open(box.plugin, 'wb') as target:
            os.fchmod(target.fileno(), 0o755)
            shutil.copyfileobj(source, target, 1 << 16)
        with open(f'{net_d}/10-e2e.conflist', 'w') as f:
            f.write(rng.choice(written))

    def replace(done):
        number = 0
        while not done.wait(rng.uniform(1.6, 2.4)):
            box.kill(agents.pop())
            number += 1
            start_of_the_agents_pod()
            done.wait(rng.uniform(0.3, 0.9))
            agents.append(box.agent(GENERATIONS[number % len(GENERATIONS)], delegate=slow))
            if not kept:
                continue
            # Not while the keeper is about to put back what the installer wrote.
            wait_for(lambda: open(box.plugin, 'rb').read() != open(foreign, 'rb').read(), 5, 0.01)
            if number % 3 == 0:
                install('--from', newer)
                sh(*box.argv(ctl, 'rollback', '--bin-dir', f'{box.dir}/bin', '--conf-dir', net_d))
            else:
                install('--from', ours)
        return number

    kills, lost, stops, retried, left = sixty_pods(box, cri, replace, again=True)
    logged = sum(1 for _ in open(f'{box.dir}/log/plugin.log'))
    explained = [e for e in lost if 'the other plugin' in e]
    what = (f'seed {seed}, {"kept" if kept else "not kept"}: 60 Pods, {kills} agents with their installers: {len(lost)} lost '
            f'({len(explained)} to the other plugin), {len(stops)} stops failed, {len(retried)} tried again, '
            f'left behind {left}, {logged} calls logged')
    if not kept:
        return what
    expect(keeper.poll() is None, 'the keeper ended')
    restores = open(f'{box.dir}/log/keeper.log').read().count('antrea: installed') - 1
    what += f', {restores} restores'
    # What met the other plugin in its milliseconds, or its file while it was written, is no fault of ours.
    faults = [e for e in lost + stops + retried if 'the other plugin' not in e and 'fork/exec' not in e and 'failed to find plugin' not in e]
    expect(not stops and not faults and left == (0, 0, 0), what + ''.join(f'\n    {e}' for e in (lost + stops + faults)[:3]))
    expect(restores >= kills and logged >= 170, what)
    return what


def staged(box, seed):
    """60 Pods while agents of another generation start every 2 s. At each start Antrea's installer writes into staging
    folders. The init container is killed at a random moment, started again, and moves what changed: at each start a
    program, the list, Antrea's plugin or ours is another one. No call meets a program that is being written."""
    ctl, foreign = f'{box.work}/bin/antrea-cnictl', f'{box.work}/bin/one-api'
    for program in (ctl, foreign):
        if not os.path.exists(program):
            raise Skipped('make ctl, and the example one_api_plugin')
    cri = box.containerd()
    rng = random.Random(seed)
    slow = box.slow_delegate(0.3)
    agents = [box.agent('v1beta1', delegate=slow)]
    net_d, image, to = f'{box.dir}/net.d', f'{box.dir}/image', f'{box.dir}/staged'
    os.makedirs(image)
    os.makedirs(f'{to}/bin')
    os.makedirs(f'{to}/conf')
    for program in ('loopback', 'portmap'):
        shutil.copy(f'{box.root}/usr/lib/cni/{program}', image)
    shutil.copy(foreign, f'{image}/antrea')
    ours = [f'{box.dir}/ours', f'{box.dir}/newer']
    for number, path in enumerate(ours):
        shutil.copy(box.plugin, path)
        with open(path, 'ab') as f:
            f.write(b'newer' * number)
    lists = []
    for version in ('0.3.0', '1.0.0', '1.1.0'):
        box.conflist('staged', version, chain=[PORTMAP], where=f'{box.dir}/lists/{version}')
        lists.append(f'{box.dir}/lists/{version}/10-e2e.conflist')

    def start_of_the_agents_pod(number):
        with open(f'{image}/{("antrea", "portmap", "loopback")[number % 3]}', 'ab') as f:
            f.write(b'.')
        for program in os.listdir(image):
            sh('install', '-m', '755', f'{image}/{program}', f'{to}/bin/{program}')
        sh('install', '-m', '644', rng.choice(lists), f'{to}/conf/10-e2e.conflist')
        command = box.argv(ctl, 'install', '--best-effort', '--from', ours[number // 2 % 2], '--bin-dir', f'{box.dir}/bin',
                           '--conf-dir', net_d, '--staged-bin', f'{to}/bin', '--staged-conf', f'{to}/conf', '--host-conf', net_d,
                           '--set', f'logFile={box.dir}/log/plugin.log')
        killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 0.1))  # the random moment
        killed.kill()
        in_the_middle = killed.wait() != 0
        sh(*command)
        return in_the_middle

    start_of_the_agents_pod(0)
    expect(box.loaded(cri, 'staged'), 'conflist not loaded')

    def replace(done):
        number = killed = 0
        while not done.wait(rng.uniform(1.6, 2.4)):
            box.kill(agents.pop())
            number += 1
            killed += start_of_the_agents_pod(number)
            done.wait(rng.uniform(0.3, 0.9))
            agents.append(box.agent(GENERATIONS[number % len(GENERATIONS)], delegate=slow))
        return number, killed

    (starts, killed), lost, stops, retried, left = sixty_pods(box, cri, replace, again=True)
    what = (f'seed {seed}: 60 Pods, {starts} agents with their installers, {killed} of which were killed in the middle: '
            f'{len(lost)} lost, {len(stops)} stops failed, {len(retried)} tried again, left behind {left}')
    expect(not lost and not stops and not retried and left == (0, 0, 0), what + ''.join(f'\n    {e}' for e in (lost + stops + retried)[:3]))
    expect(killed and open(f'{box.dir}/bin/portmap', 'rb').read() == open(f'{image}/portmap', 'rb').read(), what)
    sh(*box.argv(ctl, 'uninstall', '--bin-dir', f'{box.dir}/bin', '--conf-dir', net_d))
    expect(open(box.plugin, 'rb').read() == open(f'{image}/antrea', 'rb').read(), "Antrea's plugin is not back")
    return what


def lists(box):
    """What `check-config --bin-dir` says of a list with this tree's portmap, in each cniVersion, is what the runtime does."""
    ctl = f'{box.work}/bin/antrea-cnictl'
    if not os.path.exists(ctl):
        raise Skipped('make ctl')
    cri = box.containerd()
    box.agent('v1beta1')
    said = []
    for number, version in enumerate(('0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0')):
        name = f'lists{number}'
        box.conflist(name, version, chain=[PORTMAP])
        check = sh(*box.argv(ctl, 'check-config', '--bin-dir', f'{box.dir}/bin', f'{box.dir}/net.d/10-e2e.conflist'), check=False)
        expect(check.returncode in (0, 1), check.stdout + check.stderr)
        safe = check.returncode == 0
        expect(box.loaded(cri, name), 'conflist not loaded')
        try:
            pod = cri.run_pod(cri.config(name, f'uid-{name}', box.cgroup, ports=[(80, 8080)]))
            cri.stop_pod(pod)
            cri.remove_pod(pod)
            runs = True
        except Error as e:
            runs = False
            expect('portmap' in str(e) or 'version' in str(e), str(e))
        expect(safe == runs, f'{version}: said {"safe" if safe else "not safe"}, but the Pod {"ran" if runs else "did not run"}\n{check.stdout}')
        said.append(f'{version} {"safe" if safe else "not safe"}')
    return 'as check-config said: ' + ', '.join(said)


def podman(box):
    """podman with the CNI backend."""
    box.agent('vmware')
    box.conflist('podnet', '0.4.0', chain=[PORTMAP])
    conf = f'{box.dir}/containers.conf'
    with open(conf, 'w') as f:
        f.write(f'[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["{box.dir}/bin"]\nnetwork_config_dir = "{box.dir}/net.d"\n'
                'default_network = "podnet"\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
    env = {**os.environ, 'CONTAINERS_CONF': conf}
    base = ['podman', '--root', f'{box.dir}/podman', '--runroot', '/run/podman-e2e', '--storage-driver', 'vfs']
    sh(*base, 'load', '-i', f'{box.work}/img/pod.tar', env=env)
    sh(*base, 'run', '-d', '--name', 'c', '--network', 'podnet', IMAGE, '/bin/sleep', '100', env=env)
    out = sh(*base, 'exec', 'c', '/bin/ping', '-c', '1', '-W', '2', GATEWAY, env=env, check=False)
    expect(out.returncode == 0, f'ping: {out.stdout}{out.stderr}')
    sh(*base, 'rm', '-f', '-t', '0', 'c', env=env)
    expect(len(box.calls('CmdAdd')) == 1 and box.calls('CmdDel'), 'calls')
    veths, ips, _ = box.leaks()
    expect((veths, ips) == (0, 0), f'left behind: {veths} veth, {ips} addresses')
    return 'run, ping, rm'


def operations(box):
    """docs/operations.md from top to bottom: each block is pasted into one shell, a Pod comes and goes where the guide
    says so."""
    ctl = f'{box.work}/bin/antrea-cnictl'
    if not os.path.exists(ctl):
        raise Skipped('make ctl')
    folder = f'{box.dir}/release/antrea-cni-0-linux-amd64'
    os.makedirs(folder)
    shutil.copy(ctl, folder)
    os.makedirs(f'{box.dir}/local')
    for source, target in ((f'{box.dir}/bin', '/opt/cni/bin'), (f'{box.dir}/net.d', '/etc/cni/net.d')):
        os.makedirs(target, exist_ok=True)
        sh('mount', '--bind', source, target)
    for target in ('/var/log', '/var/tmp', '/var/lib/node_exporter'):
        os.makedirs(target, exist_ok=True)
        sh('mount', '-t', 'tmpfs', 'tmpfs', target)
    with open(box.plugin, 'ab') as f:
        f.write(b'the one before')
    before = open(box.plugin, 'rb').read()
    cri = box.containerd()
    box.agent('v1beta1')
    box.conflist('antrea', '1.0.0', chain=[PORTMAP])
    os.rename(f'{box.dir}/net.d/10-e2e.conflist', f'{box.dir}/net.d/10-antrea.conflist')
    expect(box.loaded(cri, 'antrea'), 'conflist not loaded')

    guide = open(f'{os.path.dirname(os.path.abspath(__file__))}/../../docs/operations.md').read()
    script, sections = [], 0
    for section in guide.split('\n## ')[1:]:
        title, _, text = section.partition('\n')
        sections += 1
        if title.startswith('5.'):
            script.append(f'touch {box.dir}/now; until test -e {box.dir}/done; do sleep 0.05; done')
        for block in text.split('```sh\n')[1:]:
            block = block.split('\n```')[0].replace('/usr/local/bin', f'{box.dir}/local')
            script += [f"cat <<'SHOWN'\n\n### {title}\n{block}\n### prints\nSHOWN", block]
    env = {**os.environ, 'PATH': f'{box.dir}/local:{os.environ["PATH"]}'}
    shell = subprocess.Popen(['bash', '-e', '-c', '\n'.join(script)], cwd=f'{box.dir}/release', env=env, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if wait_for(lambda: os.path.exists(f'{box.dir}/now') or shell.poll() is not None, 30) and shell.poll() is None:
        up_and_down(box, cri, 'antrea', '1.0.0')
        open(f'{box.dir}/done', 'w').close()
    transcript, _ = shell.communicate(timeout=60)
    with open(f'{box.work}/operations.txt', 'w') as f:
        f.write(transcript)
    expect(shell.returncode == 0, transcript[-1500:])
    for words in ('A Pod started now would use antrea_io.antrea.pkg.apis.cni.v1beta1', 'antrea: installed', 'supportedVersions',
                  'ADD      v1beta1    0 ', 'antrea_cni_log_calls{command="ADD"', 'rollback   in force'):
        expect(words in transcript, f'no {words!r} in {transcript}')
    expect(open(box.plugin, 'rb').read() == before, 'the plugin before is not back')
    clean(box)
    return f'{sections} sections of the guide, pasted; transcript in {box.work}/operations.txt'


def rewritten(box, script=None):
    """The list is rewritten while an ADD waits for an agent that is away, or does what a `script` says: the CRI's Status is
    answered all the time."""
    cri = box.containerd()
    agent = box.agent('v1beta1')
    conflist, written = f'{box.dir}/net.d/10-e2e.conflist', f'{box.dir}/10-e2e.conflist'
    box.conflist('rewritten', '1.0.0', settings={'waitForAgentSeconds': 60, 'confDir': f'{box.dir}/net.d'})
    expect(box.loaded(cri, 'rewritten'), 'conflist not loaded')
    shutil.copy(conflist, written)
    pod = cri.run_pod(cri.config('before', 'uid-before', box.cgroup))
    for path in (conflist, f'{box.dir}/net.d'):
        os.utime(path, (time.time() - 300,) * 2)
    box.kill(agent)
    if script:
        agent = box.agent('v1beta1', script=script)
    began, done, took = time.monotonic(), threading.Event(), []

    def ask():
        while not done.wait(1):
            asked = time.monotonic()
            cri.status(timeout=200, verbose=False)  # as kubelet asks; verbose, containerd takes its lock twice
            took.append(time.monotonic() - asked)

    def add(name):
        try:
            cri.run_pod(cri.config(name, f'uid-{name}', box.cgroup), timeout=200)
            raise AssertionError(f'{name} runs without an agent')
        except Error:
            return time.monotonic() - began

    def delete():
        cri.stop_pod(pod, timeout=200)
        cri.remove_pod(pod)
        return time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking, first = pool.submit(ask), pool.submit(add, 'first')
        try:
            time.sleep(7)
            expect(not first.done(), 'the first ADD did not wait')
            sh('install', '-m', '644', written, conflist)
            time.sleep(1)
            others = pool.submit(add, 'second'), pool.submit(delete)
            ends = [call.result() for call in (first, *others)]
        finally:
            done.set()
        asking.result()
    what = (f'list rewritten 7 s after an ADD began: Status took {max(took):.1f} s at most of {len(took)} times; that ADD ended '
            f'after {ends[0]:.0f} s, another one after {ends[1]:.0f} s, a DEL after {ends[2]:.0f} s')
    expect(max(took) <= 25, what)
    if script:
        box.kill(agent)
    box.agent('v1')
    up_and_down(box, cri, 'rewritten', '1.0.0')
    clean(box)
    return what


IPAM = {'macvlan': {'master': 'ens1', 'mode': 'bridge'}, 'bridge': {'bridge': 'br0'}, 'host-device': {'device': 'ens1'}}
LONG = 30000


class Round:
    """A Pod whose second interface a real plugin makes, with ours for its IPAM: a host, a Pod and agents of its own."""

    def __init__(self, box, kind, number, seed):
        self.box, self.kind, self.name = box, kind, f'{kind}-{number}'
        self.rng, self.killed = random.Random(f'{seed} {self.name}'), 0
        self.dir, self.socket = f'{box.dir}/{self.name}', f'/run/antrea/{self.name}.sock'
        self.host, self.pod = f'host-{self.name}', f'pod-{self.name}'
        os.makedirs(f'{self.dir}/bin')
        # Not a copy: a program that is written cannot be run while another thread forks.
        os.link(box.plugin, f'{self.dir}/bin/antrea')
        os.symlink(f'/usr/lib/cni/{kind}', f'{self.dir}/bin/{kind}')
        with open(f'{self.dir}/bin/.antrea.json', 'w') as f:
            json.dump({'socket': self.socket, 'logFile': f'{self.dir}/plugin.log'}, f)
        with open(f'{self.dir}/conf.json', 'w') as f:
            json.dump({'cniVersion': '1.0.0', 'name': 'secondary', 'type': kind, **IPAM[kind],
                       'ipam': {'type': 'antrea', 'ippools': ['pool']}}, f)

    def __enter__(self):
        for netns in (self.host, self.pod):
            sh('ip', 'netns', 'add', netns)
        sh('ip', '-n', self.host, 'link', 'add', 'ens1', 'type', 'veth', 'peer', 'name', 'ens1p')
        sh('ip', '-n', self.host, 'link', 'add', 'br0', 'type', 'bridge')
        for link in ('ens1', 'ens1p', 'br0'):
            sh('ip', '-n', self.host, 'link', 'set', link, 'up')
        return self

    def __exit__(self, *_):
        for netns in (self.host, self.pod):
            sh('ip', 'netns', 'del', netns)

    def agent(self, **script):
        """The next agent: of any generation, and it knows the leases."""
        return self.box.agent(self.rng.choice(GENERATIONS), delegate=None, script=script, path=self.socket, folder=self.name,
                              state=True)

    def kill(self, agent):
        time.sleep(self.rng.uniform(0, 0.3))
        self.box.kill(agent)
        self.killed += 1

    def start(self, command):
        env = {'PATH': os.environ['PATH'], 'CNI_COMMAND': command, 'CNI_CONTAINERID': self.name, 'CNI_IFNAME': 'eth1',
               'CNI_NETNS': f'/run/netns/{self.pod}', 'CNI_PATH': f'{self.dir}/bin'}
        with open(f'{self.dir}/conf.json') as f:
            return subprocess.Popen(['nsenter', f'--net=/run/netns/{self.host}', f'{self.dir}/bin/{self.kind}'], env=env,
                                    stdin=f, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def got(self, method):
        """Waits for the first call of it."""
        expect(wait_for(lambda: self.box.calls(method, self.name), 20, 0.01), f'{self.name}: no agent got {method}')

    def effect(self, command):
        def seen():
            return any(e['event'] == 'effect' and e['command'] == command for e in self.box.journal(self.name))
        expect(wait_for(seen, 20, 0.01), f'{self.name}: no effect of {command}')

    def links(self):
        return [sorted(link['ifname'] for link in json.loads(sh('ip', '-j', '-n', netns, 'link').stdout))
                for netns in (self.host, self.pod)]

    def leases(self):
        try:
            with open(f'{self.dir}/state.json') as f:
                return json.load(f)
        except FileNotFoundError:
            return {}

    def dies_before(self):
        """A stopped agent: a call may be on its way to it, and it never gets one."""
        agent = self.agent()
        os.killpg(agent.pid, signal.SIGSTOP)
        add = self.start('ADD')
        self.kill(agent)
        return add

    def dies_during(self):
        """Before the ADD has an effect."""
        agent = self.agent(ADD={'delayMs': LONG})
        add = self.start('ADD')
        self.got('CmdAdd')
        self.kill(agent)
        return add

    def dies_after(self):
        """After the effect, and before the answer."""
        agent = self.agent(ADD={'delayAfterMs': LONG})
        add = self.start('ADD')
        self.effect('ADD')
        self.kill(agent)
        return add

    def dies_twice(self):
        """The second one while it undoes what the first one did, or did not."""
        add = self.rng.choice([self.dies_during, self.dies_after])()
        undoing = self.rng.choice(['delayMs', 'delayAfterMs'])
        agent = self.agent(DEL={undoing: LONG})
        self.got('CmdDel')
        self.kill(agent)
        return add

    def run(self, step):
        """An ADD whose agent dies at a step of it, and the DEL. Gives how long the ADD took, or None if it failed."""
        before, began = self.links(), time.monotonic()
        add = step(self)
        agent = self.agent()
        out_of_add, _ = add.communicate(timeout=90)
        took = time.monotonic() - began
        where = f'{self.name}, {step.__name__}: ADD exit {add.returncode}: {" ".join(out_of_add.split())}: '
        links, leases = self.links(), self.leases()
        if add.returncode == 0:
            expect('eth1' in links[1], f'{where}the Pod has {links[1]}')
            expect((self.kind == 'host-device') == ('ens1' not in links[0]), f'{where}the host has {links[0]}')
            expect(list(leases) == [self.name], f'{where}leases {leases}')
            address = f'10.10.0.{leases[self.name]["host"]}/24'
            expect(address in sh('ip', '-n', self.pod, 'address', 'show', 'eth1').stdout, f'{where}eth1 has not {address}')
        delete = self.start('DEL')
        out, _ = delete.communicate(timeout=90)
        expect(delete.returncode == 0, f'{where}DEL exit {delete.returncode}: {out}')
        expect(self.leases() == {}, f'{where}leases after the DEL: {self.leases()}')
        expect(self.links() == before, f'{where}links {self.links()}, before {before}')
        self.box.kill(agent)
        if add.returncode == 0:
            expect(not os.path.exists(f'{self.socket}.owed'), f'{where}a DEL is still owed')
            return took
        # Of an agent that was dying when it was connected to, nobody can tell the end.
        expect(step is Round.dies_before and json.loads(out_of_add)['code'] == 11, f'{where}the next agent was there')
        return None


def has_macvlan():
    sh('ip', 'link', 'add', 'parent', 'type', 'veth', 'peer', 'name', 'parentp')
    made = sh('ip', 'link', 'add', 'link', 'parent', 'name', 'child', 'type', 'macvlan', check=False)
    sh('ip', 'link', 'del', 'parent')
    expect(made.returncode == 0 or 'nknown device type' in made.stderr or 'not supported' in made.stderr, made.stderr)
    return made.returncode == 0


def ipam(box, seed, rounds=50):
    """The IPAM plugin of real plugins, which have made or moved an interface when they run ours: the agent dies at each of
    its steps."""
    kinds = [kind for kind in IPAM if kind != 'macvlan' or has_macvlan()]
    steps = [Round.dies_before, Round.dies_during, Round.dies_after, Round.dies_twice]

    def one(which):
        kind, number = which
        with Round(box, kind, number, seed) as it:
            try:
                return it.run(steps[number % len(steps)]), it.killed, None
            except (AssertionError, RuntimeError) as e:
                return None, it.killed, str(e)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        took, killed, faults = zip(*pool.map(one, [(kind, number) for number in range(rounds) for kind in kinds]))
    faults, added = [fault for fault in faults if fault], [seconds for seconds in took if seconds is not None]
    what = (f'seed {seed}: {rounds} rounds each of {", ".join(kinds)}, {sum(killed)} agents killed: {len(added)} of {len(took)} ADDs '
            f'succeeded, after {max(added, default=0):.1f} s at most; ')
    expect(not faults, f'{what}{len(faults)} rounds failed' + ''.join(f'\n    {fault}' for fault in faults[:3]))
    what += 'no link lost, no lease and no link left behind'
    expect(len(took) - len(added) == 0, what)
    return what if 'macvlan' in kinds else what + '\n*** skipped: macvlan is left out, which this kernel lacks ***'


SCENARIOS = {  # name: (function, arguments, containerd 2.x from sid)
    'pod': (pod, (), False),
    'pod-2': (pod, (), True),
    'fails': (fails, (), False),
    'translation': (translation, ('1.0.0', 'containerd 1.6'), False),
    'translation-2': (translation, ('1.1.0', 'containerd 2.x'), True),
    'cnitool': (cnitool, (), True),
    'status': (status, (), True),
    'sixty': (sixty, (1,), True),
    'sixty-b': (sixty, (2,), True),
    'sixty-c': (sixty, (3,), True),
    'lists': (lists, (), False),
    'lists-2': (lists, (), True),
    'upgrade': (upgrade, (1,), True),
    'upgrade-b': (upgrade, (2,), True),
    'upgrade-c': (upgrade, (3,), True),
    'upgrade-without': (upgrade, (1, False), True),
    'staged': (staged, (1,), True),
    'staged-b': (staged, (2,), True),
    'podman': (podman, (), False),
    'operations': (operations, (), False),
    'rewritten-2': (rewritten, (), True),
    'silent-2': (rewritten, ({'ADD': {'hang': True}},), True),
    'ipam': (ipam, (1,), False),
}


def inside(work, plugin, name):
    function, arguments, sid = SCENARIOS[name]
    box = Box(work, name, plugin, sid)
    try:
        print(function(box, *arguments))
        return 0
    except Skipped as e:
        print(f'*** skipped: {e} ***')
        return SKIPPED
    except (AssertionError, RuntimeError, Error) as e:
        print(f'{type(e).__name__}: {e}')
        return 1
    finally:
        box.close()


def main():
    if sys.argv[1] == '--inside':
        sys.exit(inside(*sys.argv[2:]))
    work, plugin, *names = sys.argv[1:]
    work, plugin = os.path.abspath(work), os.path.abspath(plugin)
    passed = failed = skipped = 0
    for name in names or SCENARIOS:
        started = time.monotonic()
        env = {**os.environ, 'E2E_ID': f'{os.getpid()}-{name}'}
        command = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private',
                   sys.executable, os.path.abspath(__file__), '--inside', work, plugin, name]
        try:
            run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240)
            ok, text = run.returncode == 0, (run.stdout + run.stderr).strip()
            if run.returncode == SKIPPED:
                skipped += 1
                print(f'{text} ({name})', flush=True)
                continue
        except subprocess.TimeoutExpired:
            ok, text = False, 'took more than 240 s'
        passed, failed = passed + ok, failed + (not ok)
        print(f'{"ok    " if ok else "FAILED"} {name:14} {time.monotonic() - started:6.1f} s  {text}', flush=True)
    print(f'{passed} passed, {failed} failed, {skipped} skipped', flush=True)
    sys.exit(failed > 0)


main()
