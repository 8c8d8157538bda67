"""A network between an agent and its collector that can be slow, narrow, cut, or dead without a word."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator


class Network:
    """Passes bytes between those who connect to ``port`` and a collector's port.

    Attributes:
        delay_seconds: how long each stretch of bytes is under way.
        bytes_per_second: how much passes, in each direction; 0 when there is no bound.
        cut_ratio: the share of stretches at which the connection is reset instead.
        up: while it is cleared nothing passes and nobody is told: a cable that was pulled.
        passed_bytes: towards the collector so far.
    """

    def __init__(self, collector_port: int, chance: random.Random | None = None) -> None:
        self.port = 0
        self.collector_port = collector_port
        self.delay_seconds = 0.0
        self.bytes_per_second = 0
        self.cut_ratio = 0.0
        self.up = asyncio.Event()
        self.up.set()
        self.passed_bytes = 0
        self.connections = 0
        self._chance = chance or random.Random(0)
        self._open: set[asyncio.StreamWriter] = set()

    def reset(self) -> None:
        """Cut every connection, as a router does that starts again."""
        for writer in self._open:
            writer.transport.abort()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, to its end."""
        self.connections += 1
        await self.up.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.collector_port)
        except OSError:  # the collector is away, as the agent may see
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(self._pass(reader, far_writer, up=True), self._pass(far_reader, writer, up=False))
        except ConnectionError:
            pass  # one side is gone: the other is told below
        finally:
            for one in (writer, far_writer):
                one.transport.abort()
                self._open.discard(one)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while stretch := await reader.read(self.bytes_per_second // 10 or 65536):
            await asyncio.sleep(self.delay_seconds + (0.1 if self.bytes_per_second else 0))
            await self.up.wait()
            if self._chance.random() < self.cut_ratio:
                raise ConnectionResetError
            writer.write(stretch)
            await writer.drain()
            self.passed_bytes += len(stretch) if up else 0
        raise ConnectionResetError  # a half-closed connection is not kept


@contextlib.asynccontextmanager
async def network(collector_port: int, chance: random.Random | None = None) -> AsyncIterator[Network]:
    """A network to a collector's port, up at first."""
    one = Network(collector_port, chance)
    server = await asyncio.start_server(one.connect, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        one.up.set()
        one.reset()
        await asyncio.sleep(0)
