# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""forward.py FD HOST PORT: what comes in by the listening socket FD goes on to HOST:PORT. The socket belongs to the
machine's network, and this process to the cluster's, so that the machine needs neither a link nor a route."""
import asyncio
import socket
import sys


async def copy(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def main(listener, host, port):
    async def forward(reader, writer):
        try:
            there_reader, there_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
        there_writer.close()
        writer.close()

    server = await asyncio.start_server(forward, sock=socket.socket(fileno=listener))
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
