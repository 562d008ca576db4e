"""How far ownership has been published: what a sync has to wait for, because its pages come by other topics."""

from __future__ import annotations

import contextlib

from aiokafka.errors import KafkaError

from services.kafka import LogReader, MissingTopic
from services.settings import Settings

TOPICS = ("ownership.added", "ownership.removed")
AWAY: tuple[type[Exception], ...] = (KafkaError, MissingTopic, OSError, TimeoutError)


class Ends:
    """Asks Kafka where the two topics end, over a connection that is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: LogReader | None = None

    async def now(self) -> dict[int, tuple[int, int]]:
        """Where ownership.added and ownership.removed end, by partition.

        Raises:  one of AWAY.
        """
        if self._reader is None:
            reader = LogReader(self._settings.bootstrap)
            await reader.open()
            self._reader = reader
        added, removed = (self._settings.topic(name) for name in TOPICS)
        ranges = await self._reader.ranges([added, removed])
        ends: dict[str, dict[int, int]] = {added: {}, removed: {}}
        for (topic, partition), log in ranges.items():
            ends[topic][partition] = log.end
        return {
            partition: (ends[added][partition], ends[removed][partition])
            for partition in ends[added].keys() & ends[removed].keys()
        }

    async def close(self) -> None:
        """Disconnect; the next question connects anew."""
        reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(Exception):
                await reader.close()
