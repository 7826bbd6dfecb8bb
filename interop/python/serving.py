"""Runs a DarkRiftPy server on a free port until the test ends it."""

import asyncio
import socket

import newer_pythons  # noqa: F401
import darkriftpy


def free_port():
    """A port that is free for TCP and for UDP, as DarkRift wants the same for both."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                tcp.bind(("127.0.0.1", 0))
                port = tcp.getsockname()[1]
                try:
                    udp.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


def report(handler):
    """Prints what went wrong in a handler, which would otherwise pass unseen, so that the test can show it."""

    async def handle(client):
        try:
            await handler(client)
        except Exception as error:
            print(f"failed {error!r}", flush=True)
            raise

    return handle


def serve(handler):
    """Serves every client with `handler`; prints the port as `listening PORT` once clients may come."""

    async def main():
        while True:
            port = free_port()
            try:
                async with darkriftpy.serve(report(handler), "127.0.0.1", port, port):
                    print(f"listening {port}", flush=True)
                    await asyncio.Future()
            except OSError:
                continue  # somebody else took the port in between

    asyncio.run(main())
