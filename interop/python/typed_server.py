"""Reads a message with a field of every type, checks each value, and sends its own example back."""

import serving
import darkriftpy
from every_type import EveryType, example


async def answer(client):
    received = await client.recv()
    message = EveryType.read(received.get_reader())
    if message != example():
        raise RuntimeError(f"received {message}")
    print("as expected", flush=True)
    await client.send(example())
    try:
        await client.recv()
    except darkriftpy.ConnectionClosedError:
        await client.wait_closed()


serving.serve(answer)
