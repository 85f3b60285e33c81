# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""The API server, as far as the scenarios need it: requests, and watches that start again when they end."""
import http.client
import json
import os
import re
import ssl
import sys
import threading
import time

RUNNING = os.environ['RUNNING']


class Api:
    def __init__(self):
        with open(f'{RUNNING}/admin.conf') as file:
            self.port = int(re.search(r'server: "https://127\.0\.0\.1:(\d+)"', file.read())[1])
        self.tls = ssl.create_default_context(cafile=f'{RUNNING}/pki/ca.crt')
        self.tls.load_cert_chain(f'{RUNNING}/pki/admin.crt', f'{RUNNING}/pki/admin.key')

    def connect(self, timeout):
        return http.client.HTTPSConnection('127.0.0.1', self.port, context=self.tls, timeout=timeout)

    def request(self, method, path, body=None, content_type='application/json'):
        """Returns the status and the object of an answer."""
        connection = self.connect(30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {'Content-Type': content_type})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or 'null')
        finally:
            connection.close()

    def ask(self, method, path, body=None, content_type='application/json'):
        """Returns the object of an answer that is a success."""
        status, answer = self.request(method, path, body, content_type)
        if status >= 300:
            raise RuntimeError(f'{method} {path}: {status} {answer.get("message")}')
        return answer

    def is_ready(self):
        try:
            connection = self.connect(2)
            connection.request('GET', '/readyz')
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


class Watch:
    """Calls `seen(kind, object)` for each object of a collection, and for each of its changes, until it is stopped."""

    def __init__(self, api, path, seen):
        self.api, self.path, self.seen = api, path, seen
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopped.is_set():
            try:
                listed = self.api.ask('GET', self.path)
                for it in listed['items']:
                    self.seen('ADDED', it)
                self.follow(listed['metadata']['resourceVersion'])
            except (OSError, RuntimeError, ValueError, http.client.HTTPException) as error:
                if not self.stopped.is_set():
                    print(f'watch of {self.path}: {error}', file=sys.stderr)
                    time.sleep(0.3)

    def follow(self, version):
        connection = self.api.connect(600)
        try:
            connection.request('GET', f'{self.path}?watch=1&resourceVersion={version}')
            answer = connection.getresponse()
            while not self.stopped.is_set() and (line := answer.readline()):
                event = json.loads(line)
                if event['type'] == 'ERROR':
                    return
                self.seen(event['type'], event['object'])
        finally:
            connection.close()

    def stop(self):
        self.stopped.set()
