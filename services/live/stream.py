"""One open stream: what waits to be sent, in Server-Sent Events, and when it ends."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Literal

MOST_WAITING: Final = 8  # events; who is further behind does not read
# Proxies close a connection on which nothing comes for a minute.
KEEP_ALIVE_SECONDS: Final = 20.0
AGAIN_MILLISECONDS: Final = 3_000

Ending = Literal["left", "slow", "over", "shutdown"]


class Stream:
    """What one page is told. `told` is the number of the award that it knows of, with all before it.

    Units:   `until` by time.monotonic.
    """

    def __init__(self, user_id: str, told: int, until: float) -> None:
        self.user_id = user_id
        self.told = told
        self.ending: Ending | None = None
        self._until = until
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()

    def offer(self, piece: bytes) -> None:
        """Send this next; who has too much waiting is sent nothing any more, and asks again."""
        if self.ending is not None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.end("slow")
            return
        self._waiting.append(piece)
        self._news.set()

    def end(self, ending: Ending) -> None:
        """Send no more."""
        if self.ending is None:
            self.ending = ending
            if ending == "slow":
                self._waiting.clear()
            self._news.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """What to send, as it comes, with comments in between, until the stream ends."""
        yield hello(self.told)
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self.ending is not None:
                return
            left = self._until - time.monotonic()
            if left <= 0:
                self.end("over")
                return
            self._news.clear()
            try:
                # Not all at the same moment: after a restart all streams begin together.
                async with asyncio.timeout(min(left, KEEP_ALIVE_SECONDS * random.uniform(0.75, 1))):
                    await self._news.wait()
            except TimeoutError:
                if self._until > time.monotonic():
                    yield b":\n\n"


def hello(told: int) -> bytes:
    """The beginning: from where to go on after an interruption, and how soon to try."""
    return f"retry: {AGAIN_MILLISECONDS}\n".encode() + event("hello", b"{}", told)


def event(kind: str, data: bytes, number: int | None = None) -> bytes:
    """One event of one line of data; with a number where it can be gone on from."""
    head = f"event: {kind}\n" if number is None else f"id: {number}\nevent: {kind}\n"
    return head.encode() + b"data: " + data + b"\n\n"
