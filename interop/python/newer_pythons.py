"""Gives back what DarkRiftPy 0.1.0 uses of asyncio and newer Pythons took away. Import it before darkriftpy."""

import asyncio
import asyncio.trsock
import inspect

if "loop" not in inspect.signature(asyncio.wait).parameters:
    _wait = asyncio.wait

    async def wait(waited, *, loop=None, **options):
        # Newer Pythons take no bare coroutines either.
        return await _wait([asyncio.ensure_future(one) for one in waited], **options)

    asyncio.wait = wait

if not hasattr(asyncio.trsock.TransportSocket, "sendto"):

    def sendto(self, *arguments):
        return self._sock.sendto(*arguments)

    asyncio.trsock.TransportSocket.sendto = sendto
