"""Sending everything while a worker is killed among its records, and seeing that others go on where it stopped."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.demo import data
from services.demo.engines import PARTITIONS, SESSION_SECONDS
from services.demo.outcome import Takeover
from services.demo.processes import Crew, Process
from services.demo.screen import Screen
from services.demo.sending import Sendable, send, unmixed
from services.demo.watch import Watch, accounted, partitions_of
from services.kafka import Publisher, partition_of
from services.stores import ledger
from services.stores.positions import Positions
from services.stores.postgres import Connection

KILL_AFTER_PAGES: Final = 5
PAGES: Final = "ownership.added"


@dataclass(frozen=True, slots=True)
class Sending:
    """What it takes to send the events and to lose a worker on the way."""

    crew: Crew
    screen: Screen
    watch: Watch
    publisher: Publisher
    connection: Connection

    async def with_a_kill(
        self, events: Sequence[Sendable], workers: Sequence[Process], shares: Mapping[str, Sequence[int]]
    ) -> Takeover:
        """Send all events; the worker of the largest collection dies after a few pages of it.

        Raises:  NotInTime, ProcessEnded, NotSent.
        """
        middle = next(at for at, event in enumerate(events) if (event.type, event.user) == (PAGES, data.SNAPSHOTS_OF))
        home = partition_of(data.COPIES_OF.encode(), range(PARTITIONS))
        victim = next(worker for worker in workers if home in shares[worker.name])
        numbers = shares[victim.name]
        sending = asyncio.create_task(send(self.publisher, events[:middle], self.watch.sent))
        await self.watch.until(lambda found: _pages(found, home) >= KILL_AFTER_PAGES, f"pages of {data.COPIES_OF}")
        self.crew.kill(victim)
        killed_at = time.monotonic()
        heirs = [worker for worker in workers if worker is not victim]
        heirs.append(self.crew.start(f"worker-{len(workers) + 1}", "worker"))
        at_death = await self.watch.look()
        done = accounted(at_death, numbers)
        mine = sum(partition_of(event.message.key, range(PARTITIONS)) in numbers for event in events)
        self.screen.done(
            f"{victim.name} killed with SIGKILL after {done} of {mine} records; {heirs[-1].name} starts",
            mark="✖",
            style="red",
        )
        await sending
        self.screen.done(
            f"{middle} events sent so far; Kafka waits {SESSION_SECONDS:.0f} s for a sign of {victim.name}"
        )
        await self.watch.until(lambda found: accounted(found, numbers) > done, f"a successor of {victim.name}")
        seconds = time.monotonic() - killed_at
        self.screen.done(f"its partitions were taken over {seconds:.1f} s after the kill")

        sent = middle
        for group in unmixed(events[middle:]):
            await self.watch.until(lambda found, due=sent: accounted(found) >= due, "what was sent before")  # type: ignore[misc]
            await send(self.publisher, group, self.watch.sent)
            sent += len(group)
        self.screen.done(f"all {sent} events sent")
        end = await self.watch.until(
            lambda found: accounted(found) >= len(events) and found.unsent == 0, "everything processed and published"
        )
        went_on, stranded = await self._successors(heirs, numbers, at_death, end)
        return Takeover(victim.name, victim.pid, numbers, done, mine - done, went_on, stranded, seconds)

    async def _successors(
        self, heirs: Sequence[Process], numbers: Sequence[int], at_death: Positions, end: Positions
    ) -> tuple[list[str], list[int]]:
        """Who moved the partitions after the death, by the ledger, and which of them are with nobody who lives."""
        owners = await ledger.owners(self.connection)
        names = {f"{socket.gethostname()}:{worker.pid}": worker.name for worker in heirs}
        moved = [
            place
            for place, one in end.ledger.items()
            if place[1] in numbers and (place not in at_death.ledger or one != at_death.ledger[place])
        ]
        held = {number for worker in heirs for number in partitions_of(worker)}
        stranded = (set(numbers) - held) | {place[1] for place in moved if owners[place] not in names}
        return sorted({names[owners[place]] for place in moved if owners[place] in names}), sorted(stranded)


def _pages(found: Positions, home: int) -> int:
    """Pages of the largest collection that are processed."""
    place = found.ledger.get((PAGES, home))
    return 0 if place is None else place.next_offset - place.base_offset
