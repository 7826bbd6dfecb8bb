"""Sends numbered messages to a server that returns them, and checks that all come back in order.

`counting_client.py PORT reliable|unreliable COUNT WINDOW`: at most WINDOW messages are on the way at once.
"""

import asyncio
import sys

import newer_pythons  # noqa: F401
import darkriftpy

port, mode, count, window = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def message(number):
    writer = darkriftpy.DarkriftWriter()
    writer.write_int32(number)
    writer.write_string(f"message {number}")
    return darkriftpy.DarkriftMessage(number, writer.bytes)


async def main():
    async with darkriftpy.connect("127.0.0.1", port, port) as client:
        room = asyncio.Semaphore(window)

        async def send():
            for number in range(count):
                await room.acquire()
                await client.send(message(number), mode == "reliable")

        sending = asyncio.ensure_future(send())
        for number in range(count):
            received = await client.recv()
            expected = message(number)
            if (received.tag, received.bytes) != (expected.tag, expected.bytes):
                raise SystemExit(f"message {number} came back as tag {received.tag}, {received.bytes!r}")
            room.release()
        await sending
        print(f"client {client.connection_id}: {count} messages came back in order", flush=True)


asyncio.run(asyncio.wait_for(main(), 60))
