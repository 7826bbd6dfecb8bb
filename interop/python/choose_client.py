"""Sends 20 numbers once, and checks that each choice that the server makes is one of them. `choose_client.py PORT`"""

import asyncio
import random
import sys

import newer_pythons  # noqa: F401
import darkriftpy
from choose_messages import Choice, Choose, messages

port = int(sys.argv[1])


async def main():
    async with darkriftpy.connect("127.0.0.1", port, port) as client:
        items = [random.randint(-(2**31), 2**31 - 2) for _ in range(20)]
        await client.send(Choose(items))
        choices = 0
        async for message in client:
            choice = messages.convert(message)
            if not isinstance(choice, Choice) or choice.item not in items:
                raise SystemExit(f"not a choice of ours: {choice}")
            choices += 1
        print(f"{choices} choices", flush=True)


asyncio.run(asyncio.wait_for(main(), 60))
