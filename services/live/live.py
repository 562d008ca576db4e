"""The live part of an api process: its streams, and from the first of them on who listens to Kafka for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from services import metrics
from services.api.reader import Reader
from services.api.view import View
from services.live.hub import Hub
from services.live.listener import Listener
from services.live.stream import Stream
from services.settings import Settings


class Live:
    """Opens streams; without one, Kafka is not asked for anything."""

    def __init__(self, settings: Settings, view: View) -> None:
        self.hub = Hub(view, most=settings.api_streams, most_per_user=settings.api_streams_user)
        self._listener = Listener(settings, self.hub)
        self._tasks: list[asyncio.Task[None]] = []
        for why in metrics.LIVE_ENDINGS:
            metrics.LIVE_ENDED.labels(why)

    @contextlib.asynccontextmanager
    async def open(self, reader: Reader, user_id: str, after: int | None, seconds: float) -> AsyncIterator[Stream]:
        """A stream of the user; see Hub.open.

        Raises:  Problem 429, 503.
        """
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self.hub.run(reader), name="live"),
                asyncio.create_task(self._listener.run(), name="listener"),
            ]
        async with self.hub.open(reader, user_id, after, seconds) as stream:
            yield stream

    async def close(self) -> None:
        """End all streams and stop listening."""
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
