"""What can be wrong with a connection, and a TCP proxy that has it: slow, narrow, cut to slices, silent, cut off."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class Link:
    """How bytes pass; changed while they do.

    Units:   `latency` and `jitter` in seconds, `rate` in bytes a second, `slices` in bytes a packet.
    Shape:   `silent_there` and `silent_back` swallow what goes to the server and what comes from it: half-open.
    """

    latency: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    slices: int | None = None
    silent_there: bool = False
    silent_back: bool = False
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def heal(self) -> None:
        """As good as a link can be."""
        self.latency = self.jitter = 0.0
        self.rate = self.slices = None
        self.silent_there = self.silent_back = False

    async def send(self, data: bytes, sink: asyncio.StreamWriter, *, there: bool) -> None:
        """Pass bytes on as the link is now."""
        if self.silent_there if there else self.silent_back:
            return
        if self.latency:
            await asyncio.sleep(max(0.0, self.latency + self.dice.uniform(-self.jitter, self.jitter)))
        for start in range(0, len(data), self.slices or len(data)):
            part = data[start : start + (self.slices or len(data))]
            if self.rate:
                await asyncio.sleep(len(part) / self.rate)
            sink.write(part)
            await sink.drain()


Way = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Proxy:
    """Listens on a free port and passes on what comes, as `link` is; a subclass may look at what passes."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._host, self.server_port = host, int(port)
        self._clients: set[asyncio.Task[None]] = set()
        self.link = Link()
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen until the end of the block."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await self.cut()

    async def cut(self) -> int:
        """Reset every connection; answers how many there were."""
        clients = list(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        return len(clients)

    def ways(self) -> tuple[Way, Way]:
        """What to do with the bytes of one connection: to the server, and back from it."""

        async def there(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(CHUNK):
                await self.link.send(data, sink, there=True)

        async def back(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(CHUNK):
                await self.link.send(data, sink, there=False)

        return there, back

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            behind, ahead = await asyncio.open_connection(self._host, self.server_port)
            there, back = self.ways()
            ways = {asyncio.ensure_future(there(reader, ahead)), asyncio.ensure_future(back(behind, writer))}
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                ahead.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # the end of a connection, whoever ended it
        finally:
            with contextlib.suppress(RuntimeError):
                writer.transport.abort()
            self._clients.discard(task)
