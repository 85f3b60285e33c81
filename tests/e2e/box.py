# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""A box: private mount, network and process namespaces, so that a run leaves nothing behind and meets nobody else's
socket or bridge. Everything here is called from inside it."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from cri import CRI, Error

SOCKET = '/run/antrea/cni.sock'
IMAGE = 'localhost/e2e/pod:latest'
SUBNET, GATEWAY, BRIDGE = '10.88.0.0/16', '10.88.0.1', 'e2ebr0'


def sh(*cmd, check=True, timeout=60, **kw):
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=timeout, **kw)
    if check and p.returncode:
        raise RuntimeError(f'{" ".join(cmd[:4])}: exit {p.returncode}: {(p.stderr or p.stdout).strip()[-300:]}')
    return p


def wait_for(what, seconds, interval=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        v = what()
        if v:
            return v
        time.sleep(interval)
    return what()


class Box:
    def __init__(self, work, name, plugin, sid=False):
        self.work, self.name = work, name
        self.dir = f'{work}/run/{name}'
        shutil.rmtree(self.dir, ignore_errors=True)
        for d in ('bin', 'net.d', 'log'):
            os.makedirs(f'{self.dir}/{d}')
        self.root = f'{work}/sid' if sid else ''
        self.cgroup = f"/e2e-{os.environ['E2E_ID']}"
        self.procs, self.agents = [], 0
        os.makedirs('/var/lib/cni', exist_ok=True)
        for m in ('/run', '/var/lib/cni', '/dev/shm'):
            sh('mount', '-t', 'tmpfs', 'tmpfs', m)
        if sid:
            # pivot_root, not chroot: runc exec joins a mount namespace at its root, which chroot does not change
            os.makedirs(self.root + work, exist_ok=True)
            os.makedirs(self.root + '/var/lib/cni', exist_ok=True)
            self.holder = subprocess.Popen(['unshare', '-m', '--propagation', 'private', 'sh', '-ec', f'''
mount --bind {self.root} {self.root}
cd {self.root}
for m in /proc /sys /dev /run; do mount --rbind $m .$m; done
mount --bind {work} .{work}
mount -t tmpfs tmpfs ./var/lib/cni
mkdir -p .old
pivot_root . .old
umount -l /.old
touch /run/pivoted
exec sleep 100000'''], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if not wait_for(lambda: os.path.exists('/run/pivoted') or self.holder.poll() is not None, 10) or self.holder.poll() is not None:
                raise RuntimeError('cannot pivot into the sid tree')
        for d in ('/run/netns', '/run/antrea', '/run/lock'):
            os.makedirs(d, exist_ok=True)
        sh('ip', 'link', 'set', 'lo', 'up')
        self.plugin = f'{self.dir}/bin/antrea'
        shutil.copy(plugin, self.plugin)
        os.chmod(self.plugin, 0o755)
        for p in ('loopback', 'portmap', 'host-local', 'bridge', 'tuning', 'firewall'):
            os.symlink(f'/usr/lib/cni/{p}', f'{self.dir}/bin/{p}')

    # -- processes -----------------------------------------------------------------------------------------------
    def argv(self, *cmd):
        return ['nsenter', f'--mount=/proc/{self.holder.pid}/ns/mnt', '--', *cmd] if self.root else list(cmd)

    def start(self, log, *cmd):
        with open(f'{self.dir}/log/{log}', 'ab') as f:
            p = subprocess.Popen(self.argv(*cmd), stdin=subprocess.DEVNULL, stdout=f, stderr=f, start_new_session=True)
        self.procs.append(p)
        return p

    # -- the agent -----------------------------------------------------------------------------------------------
    def agent(self, api, delegate='/usr/lib/cni', accepts=None, script=None, path=SOCKET, folder='log', state=False):
        d = f'{self.dir}/{folder}'
        cmd = [f'{self.work}/bin/agent', '--socket', path, '--api', api, '--journal', f'{d}/journal']
        if delegate:
            cmd += ['--delegate', delegate]
        if accepts:
            cmd += ['--cni-versions', accepts]
        if script:
            with open(f'{d}/script.json', 'w') as f:
                json.dump(script, f)
            cmd += ['--script', f'{d}/script.json']
        if state:
            cmd += ['--state', f'{d}/state.json']
        p = self.start('agent.err', *cmd)

        def up():
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(path)
                return True
            except OSError:
                return False
            finally:
                s.close()
        if not wait_for(up, 30, 0.01):
            raise RuntimeError('the agent did not start')
        return p

    @staticmethod
    def kill(p):
        """SIGKILL to the agent and to the delegate that it may be running: a real agent does that work itself."""
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()

    def slow_delegate(self, seconds):
        """A directory with a bridge whose ADD takes its time after it has made things, so that a kill leaves some behind."""
        d = f'{self.dir}/slow'
        os.makedirs(d)
        with open(f'{d}/bridge', 'w') as f:
            f.write(f'#!/bin/sh\nout=$(/usr/lib/cni/bridge); rc=$?\n[ "$CNI_COMMAND" != ADD ] || sleep {seconds}\n'
                    'printf %s "$out"; exit $rc\n')
        os.chmod(f'{d}/bridge', 0o755)
        return d

    def journal(self, folder='log'):
        """What the agents of a folder wrote down."""
        out = []
        try:
            for line in open(f'{self.dir}/{folder}/journal', 'rb').read().decode().splitlines():
                try:
                    out.append(json.loads(line))
                except ValueError:
                    continue  # cut by SIGKILL
        except FileNotFoundError:
            pass
        return out

    def calls(self, method=None, folder='log'):
        """The calls in the agents' journal that an agent had."""
        return [e for e in self.journal(folder)
                if e['event'] == 'call' and e['served'] and (not method or e['path'].endswith('/' + method))]

    # -- configuration -------------------------------------------------------------------------------------------
    def plugin_conf(self, delegate=True, settings=None):
        ipam = {'type': 'host-local', 'ranges': [[{'subnet': SUBNET}]], 'routes': [{'dst': '0.0.0.0/0'}],
                'dataDir': f'{self.dir}/ipam'}
        c = {'type': 'antrea', 'ipam': {'type': 'host-local'}, 'capabilities': {'portMappings': True}, 'antreaCni': {'socket': '/var' + SOCKET, **(settings or {})}}
        if delegate:
            c['delegate'] = {'type': 'bridge', 'bridge': BRIDGE, 'isGateway': True, 'ipMasq': False, 'ipam': ipam}
        return c

    def conflist(self, name, version, chain=(), delegate=True, where=None, settings=None):
        where = where or f'{self.dir}/net.d'
        doc = {'cniVersion': version, 'name': name, 'plugins': [self.plugin_conf(delegate, settings), *chain]}
        os.makedirs(where, exist_ok=True)
        # from inside the directory: containerd 1.6 does not notice a file that is moved in from elsewhere
        with open(f'{where}/.tmp', 'w') as f:
            json.dump(doc, f)
        os.rename(f'{where}/.tmp', f'{where}/10-e2e.conflist')

    # -- containerd ----------------------------------------------------------------------------------------------
    def containerd(self):
        d, sock = f'{self.dir}/ctd', f'{self.dir}/ctd/c.sock'
        os.makedirs(d)
        cni = f'{self.dir}/net.d'
        common = f'root = "{d}/root"\nstate = "/run/containerd"\n[grpc]\n  address = "{sock}"\n'
        # restrict_oom_score_adj: root without CAP_SYS_RESOURCE cannot set a negative score
        if self.root:
            conf = f'''version = 3
{common}[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{IMAGE}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{self.dir}/bin"]
    conf_dir = "{cni}"
[plugins.'io.containerd.internal.v1.opt']
  path = "{d}/opt"
'''
        else:
            conf = f'''version = 2
{common}[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{self.dir}/bin"
    conf_dir = "{cni}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{d}/opt"
'''
        open(f'{d}/config.toml', 'w').write(conf)
        p = self.start('containerd.log', 'containerd', '-c', f'{d}/config.toml')

        def ready():
            if p.poll() is not None:
                raise RuntimeError(f'containerd ended: see {self.dir}/log/containerd.log')
            try:
                c = CRI(sock)
                c.version()
                return c
            except Error:
                return None
        cri = wait_for(ready, 30, 0.2)
        if not cri:
            raise RuntimeError('containerd does not answer')
        self.sock = sock
        sh(*self.argv('ctr', '-a', sock, '-n', 'k8s.io', 'image', 'import', f'{self.work}/img/pod.tar'))
        return cri

    @staticmethod
    def loaded(cri, name):
        """The conflist of this name is the one that the runtime has read."""
        def f():
            c, info = cri.status()
            nets = (info.get('cniconfig') or {}).get('Networks') or []
            return any(((n.get('Config') or {}).get('Name') == name) for n in nets)
        return wait_for(f, 10, 0.1)

    # -- what is left --------------------------------------------------------------------------------------------
    def leaks(self):
        veths = len(json.loads(sh('ip', '-j', 'link', 'show', 'type', 'veth').stdout or '[]'))
        base = f'{self.dir}/ipam'
        ips = sum(1 for d, _, fs in os.walk(base) for f in fs if f[:1].isdigit())
        netns = len(os.listdir('/run/netns'))
        return veths, ips, netns

    def close(self):
        for p in self.procs:
            if p.poll() is None:
                p.kill()
