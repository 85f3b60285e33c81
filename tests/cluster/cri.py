# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""A probe of a node's container runtime: its Status, which kubelet asks for, each second."""
import subprocess
import threading
import time

from held import end_with_parent
from tools import BUILT, RUNNING


class StatusProbe:
    """What it saw is in the log of the node's Status, too."""

    def __init__(self, node):
        self.node, self.longest, self.began = node, 0.0, time.monotonic()
        self.ending, self.program = threading.Event(), None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """Starts the program again when the runtime ended, as it does when its node boots."""
        with open(f'{RUNNING}/log/{self.node.name}-status.log', 'a') as log:
            while not self.ending.is_set():
                socket = self.node.path('run/containerd/containerd.sock')
                self.began = time.monotonic()
                self.program = subprocess.Popen([f'{BUILT}/cri-status', socket], stdout=subprocess.PIPE, stderr=log, text=True,
                                                preexec_fn=end_with_parent)
                for line in self.program.stdout:
                    log.write(line)
                    log.flush()
                    _, seconds, _ = line.split(maxsplit=2)
                    self.longest = max(self.longest, float(seconds))
                    self.began = time.monotonic() + 1
                self.program.wait()
                self.ending.wait(0.5)

    def stop(self):
        """Returns the seconds of the longest call; one that has no answer yet counts."""
        self.ending.set()
        waited = time.monotonic() - self.began
        if self.program and self.program.poll() is None:
            self.longest = max(self.longest, waited)
            self.program.kill()
        self.thread.join()
        return self.longest
