"""PostgreSQL behind a proxy that loses the reply to COMMIT: the client cannot know whether it was done."""

import asyncio
import random
from collections import Counter
from urllib.parse import urlsplit

from tests.faults.link import CHUNK, Proxy, Way

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"


class CommitProxy(Proxy):
    """`share` of the COMMITs end with a reset instead of a reply: half of them are done, half never arrive."""

    def __init__(self, url: str, seed: int) -> None:
        parts = urlsplit(url)
        super().__init__(f"{parts.hostname}:{parts.port}")
        self._parts = parts
        self._dice = random.Random(seed)
        self.share = 0.0
        self.lost: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """The address of the database through the proxy."""
        user = self._parts.netloc.rpartition("@")[0]
        return self._parts._replace(netloc=f"{user}@127.0.0.1:{self.port}").geturl()

    def ways(self) -> tuple[Way, Way]:
        """Chunk by chunk: a simple query is one packet, which is what COMMIT is."""
        committing = asyncio.Event()

        async def there(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(CHUNK):
                if COMMIT in data and self._dice.random() < self.share:
                    if self._dice.random() < 0.5:
                        self.lost["request"] += 1
                        return
                    committing.set()
                await self.link.send(data, sink, there=True)

        async def back(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(CHUNK):
                if committing.is_set():
                    self.lost["reply"] += 1
                    return  # the reply is here, so the commit is done; nobody will ever hear of it
                await self.link.send(data, sink, there=False)

        return there, back
