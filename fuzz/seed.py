#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes a corpus to start from into fuzz/corpus: what real runtimes sent, what
the Go plugin was asked, and well-formed replies. The regression inputs in
fuzz/regressions go along."""
import json, pathlib, shutil, struct

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "tests/fixtures"
VARIABLES = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"]
written = {}


def seed(target, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    written[target] = written.get(target, 0) + 1
    (folder / f"seed-{written[target]:04}").write_bytes(data)


def call(env, stdin):
    variables = [f"{k}={v}" for k, v in env.items() if k in VARIABLES]
    return "\0".join(variables).encode() + b"\0\0" + stdin


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def reply(stream, message=b"", status=b"0", text=b""):
    head = header(b":status", b"200") + header(b"content-type", b"application/grpc")
    end = header(b"grpc-status", status) + (header(b"grpc-message", text) if text else b"")
    if status == b"12":
        return frame(1, 5, stream, head + end)
    data = b"\0" + struct.pack(">I", len(message)) + message
    return frame(1, 4, stream, head) + frame(0, 0, stream, data) + frame(1, 5, stream, end)


def field(number, data):
    length = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    return bytes([number << 3 | 2]) + length + data


results = [
    b'{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/n"}],"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":0}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{}}',
    b'{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}],"dns":{"nameservers":["10.0.0.10"]}}',
    b"{}",
]
calls = [c for f in sorted(FIXTURES.glob("captures/*.json")) for c in json.loads(f.read_text())["calls_in_order"]]
for entry in calls:
    stdin = entry["stdin"]
    stdin = stdin.encode() if isinstance(stdin, str) else json.dumps(stdin).encode()
    for target in ["input", "differential"]:
        seed(target, call(entry["env"], stdin))
    for result in results:
        seed("result", stdin + b"\0" + result)
for line in (FIXTURES / "go-plugin-answers.jsonl").read_text().splitlines():
    entry = json.loads(line)
    stdin = entry.get("stdin") or ""
    for target in ["input", "differential"]:
        seed(target, call(entry.get("env") or {}, str(stdin).encode()))
for line in (FIXTURES / "translation-golden.jsonl").read_text().splitlines():
    for version in ["1.1.0", "1.0.0"]:
        configuration = {"cniVersion": version, "name": "n", "prevResult": json.loads(line)["input"]}
        seed("result", json.dumps(configuration).encode() + b"\0" + results[1])
for text in [
    "null", "{}", '{"socket":"/s","addTimeoutSeconds":35,"waitForAgentSeconds":0}',
    '{"delWhenAgentDown":"succeed","logFile":"/l","logLevel":"error","requireRootAgent":false}',
    '{"socket":"s"}', '{"addTimeoutSeconds":90.5}', '{"unknown":1}', "[]",
]:
    seed("settings", text.encode())
event = '{"time":"2026-11-24T10:00:00.000000Z","command":"ADD","container":"c0ffee","podNamespace":"shop","podName":"web-0","socket":"/s","tried":[{"attempt":1,"command":"ADD","api":"antrea_io.antrea.pkg.apis.cni.v1beta1","cniVersion":"1.0.0","code":0,"milliseconds":1.5}],"attempts":1,"code":0,"milliseconds":2.5}'
for log in [event, event + "\n" + event.replace('"code":0,"mill', '"code":11,"message":"no","mill'), event[:80] + event + "\n", "\n{}\n"]:
    seed("log", log.encode())
start = frame(4, 0, 0, b"") + frame(4, 1, 0, b"")
refused = field(2, b"\x08\x01" + field(2, b"Unsupported CNI version [1.1.0]"))
for command in [b"\0", b"\1"]:
    for result in results:
        seed("reply", command + start + reply(1, field(1, result)))
        seed("reply", command + start + reply(1, status=b"12", text=b"unknown service") + reply(3, field(1, result)))
        seed("reply", command + start + reply(1, refused) + reply(3, field(1, result)))
    seed("reply", command + start + reply(1, status=b"14", text=b"away"))
    seed("reply", command + start + frame(7, 0, 0, b"\0\0\0\0\0\0\0\0"))
    seed("reply", command + start + frame(3, 0, 1, b"\0\0\0\2"))
for regression in sorted(HERE.glob("regressions/*/*")):
    target = HERE / "corpus" / regression.parent.name
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(regression, target)
print(written)
