"""Sends a message with a field of every type, and wants the same one back. `typed_client.py PORT`"""

import asyncio
import sys

import newer_pythons  # noqa: F401
import darkriftpy
from every_type import EveryType, example

port = int(sys.argv[1])


async def main():
    async with darkriftpy.connect("127.0.0.1", port, port) as client:
        await client.send(example())
        received = await client.recv()
        answer = EveryType.read(received.get_reader())
        if (received.tag, received.bytes) != (example().tag, example().bytes) or answer != example():
            raise SystemExit(f"came back as {answer}")
        print("the same message came back", flush=True)


asyncio.run(asyncio.wait_for(main(), 60))
