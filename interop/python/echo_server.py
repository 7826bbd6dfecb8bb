"""Returns every message with its tag. `echo_server.py reliable|unreliable`: on which channel."""

import sys

import serving
import darkriftpy

reliable = sys.argv[1] == "reliable"


async def echo(client):
    try:
        while True:
            message = await client.recv()
            await client.send(darkriftpy.DarkriftMessage(message.tag, message.bytes), reliable)
    except darkriftpy.ConnectionClosedError:
        await client.wait_closed()


serving.serve(echo)
