"""Answers 20 numbers with one of them, again and again until the client leaves."""

import asyncio
import random

import serving
import darkriftpy
from choose_messages import Choice, Choose, messages


async def choose(client):
    question = messages.convert(await client.recv())
    if not isinstance(question, Choose) or len(question.items) != 20:
        raise RuntimeError(f"not a question: {question}")
    print(f"asked to choose from {len(question.items)}", flush=True)
    try:
        while True:
            await client.send(Choice(random.choice(question.items)))
            await asyncio.sleep(0.02)
    except darkriftpy.ConnectionClosedError:
        print("the client left", flush=True)
        await client.wait_closed()


serving.serve(choose)
