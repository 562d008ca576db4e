"""Waiting with open eyes: the ledger and our own consumer move the bars, and a process that ends is noticed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from services.demo.processes import Crew, Process
from services.demo.published import Published
from services.demo.screen import PROCESSED, PUBLISHED, SENT, Screen
from services.stores.positions import Positions, load_positions
from services.stores.postgres import Connection

POLL_SECONDS: Final = 0.01
LOG_POLL_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 60.0


class NotInTime(Exception):
    """Something that should have happened did not."""


class Watch:
    """Looks at the ledger until something is true."""

    def __init__(self, connection: Connection, crew: Crew, screen: Screen, published: Published, total: int) -> None:
        self._connection = connection
        self._crew = crew
        self._screen = screen
        self._published = published
        self._total = total
        self._sent = 0

    def sent(self, more: int) -> None:
        """Kafka has acknowledged so many more events."""
        self._sent += more
        self._screen.bar(SENT, self._sent, self._total)

    def expect(self, more: int) -> None:
        """So many more events are to be sent."""
        self._total += more

    @property
    def acknowledged(self) -> int:
        """Events that Kafka has taken so far."""
        return self._sent

    async def look(self) -> Positions:
        """The ledger and the outbox now; the bars follow."""
        found = await load_positions(self._connection)
        self._screen.bar(PROCESSED, accounted(found), self._total)
        read = len(self._published.awards)
        # What waits in the outbox is awarded and not published yet; our consumer is a moment behind the relay.
        self._screen.bar(PUBLISHED, read, read + found.unsent or None)
        return found

    async def until(self, what: Callable[[Positions], bool], hope: str) -> Positions:
        """The first look at which `what` is true.

        Raises:  NotInTime saying what was hoped for; ProcessEnded.
        """
        return await self.until_true(lambda: self._looked(what), hope)

    async def until_true(self, what: Callable[[], Awaitable[Positions | None]], hope: str) -> Positions:
        """The first answer that is not None; the bars move meanwhile.

        Raises:  NotInTime saying what was hoped for; ProcessEnded.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := await what()) is None:
            self._crew.check()
            if time.monotonic() > deadline:
                now = await self.look()
                raise NotInTime(
                    f"{hope}: not within {PATIENCE_SECONDS:.0f} s; {accounted(now)} of {self._sent} events that were"
                    f" sent are accounted for, {now.unsent} messages wait in the outbox"
                )
            await asyncio.sleep(POLL_SECONDS)
        return found

    async def _looked(self, what: Callable[[Positions], bool]) -> Positions | None:
        found = await self.look()
        return found if what(found) else None

    async def told(self, process: Process, event: str, key: str) -> str:
        """What the process's log says of `key` in the line of this event, as soon as it is there.

        Raises:  NotInTime; ProcessEnded.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (line := process.last(event)) is None:
            self._crew.check()
            if time.monotonic() > deadline:
                raise NotInTime(f"{process.name} did not log {event!r} within {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(LOG_POLL_SECONDS)
        return str(line[key])

    async def shared(self, workers: Collection[Process], partitions: int) -> dict[str, list[int]]:
        """The partitions of each worker, as soon as all partitions are shared among all of them.

        Raises:  NotInTime; ProcessEnded.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = {worker.name: partitions_of(worker) for worker in workers}
            numbers = [number for each in found.values() for number in each]
            if all(found.values()) and sorted(numbers) == list(range(partitions)):
                return found
            self._crew.check()
            if time.monotonic() > deadline:
                raise NotInTime(f"the workers did not share {partitions} partitions, but have {found}")
            await asyncio.sleep(LOG_POLL_SECONDS)


def partitions_of(worker: Process) -> list[int]:
    """The partitions that the worker was last told to take."""
    line = worker.last("assigned")
    return [] if line is None else list(line["numbers"])


def accounted(found: Positions, numbers: Collection[int] | None = None) -> int:
    """Records that the ledger has an account of, of these partition numbers of every topic, or of all."""
    return sum(
        one.next_offset - one.base_offset
        for (_, number), one in found.ledger.items()
        if numbers is None or number in numbers
    )
