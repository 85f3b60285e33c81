# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""An agent in Python's grpcio, which is built on gRPC's C core.

agent.py SOCKET PACKAGE[,PACKAGE...] JOURNAL
"""
import json
import sys
import threading
from concurrent import futures

import grpc


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def field(message, number):
    """The bytes of the last field with this number."""
    found, at = b"", 0
    while at < len(message):
        tag, at = varint(message, at)
        length, at = varint(message, at)
        if tag == number << 3 | 2:
            found = message[at : at + length]
        at += length
    return found


def encode(number, data):
    out, length = bytearray([number << 3 | 2]), len(data)
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(out) + bytes([length]) + data


def result(configuration):
    version = json.loads(configuration)["cniVersion"]
    ip = {"address": "10.10.0.2/24", "gateway": "10.10.0.1"}
    if version in ("0.1.0", "0.2.0"):
        return {"cniVersion": version, "ip4": {"ip": ip["address"], "gateway": ip["gateway"]}}
    if version.startswith("0."):
        ip["version"] = "4"
    return {"cniVersion": version, "ips": [ip]}


def handler(path, log):
    def handle(request, _context):
        log(path)
        if not path.endswith("/CmdAdd"):
            return b""
        return encode(1, json.dumps(result(field(field(request, 1), 6))).encode())

    return grpc.unary_unary_rpc_method_handler(handle)


def main():
    socket, packages, journal = sys.argv[1:]
    lock = threading.Lock()

    def log(path):
        with lock, open(journal, "a", encoding="utf-8") as file:
            file.write(json.dumps({"path": path}) + "\n")

    server = grpc.server(futures.ThreadPoolExecutor(8))
    for package in filter(None, packages.split(",")):
        methods = {
            method: handler(f"/{package}.Cni/{method}", log)
            for method in ("CmdAdd", "CmdCheck", "CmdDel")
        }
        generic = grpc.method_handlers_generic_handler(f"{package}.Cni", methods)
        server.add_generic_rpc_handlers((generic,))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    print(grpc.__version__, flush=True)
    server.wait_for_termination()


main()
