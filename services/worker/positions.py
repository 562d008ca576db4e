"""Where to read on after an assignment: the ledger's word, whatever Kafka has committed."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
from faust.types import TP

from services import metrics
from services.logs import logger
from services.stores import ledger
from services.stores.postgres import TRANSIENT
from services.worker.runner import Runner
from services.worker.watchdog import die

log = logger(__name__)

ACQUIRE_SECONDS = 4.0


class Seeker:
    """Answers for every assigned partition where its next record lies."""

    def __init__(self, runner: Runner, names: Mapping[str, str], owner: str) -> None:
        self._runner, self._names, self._owner = runner, names, owner
        self.pool: asyncpg.Pool[asyncpg.Record]

    async def positions(self, logs: Mapping[TP, range]) -> Mapping[TP, int]:
        """Offsets to read from, given those that each partition's log holds.

        Accounts are opened, holes are accounted for. A log that ends before the ledger is another log: reading on would
        skip its records without a trace, so the process ends.
        """
        places = {tp: (self._names[tp.topic], tp.partition) for tp in logs}
        try:
            async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                known = await ledger.positions(connection, places.values())
                for tp, held in logs.items():
                    topic, partition = places[tp]
                    due = known.get((topic, partition))
                    if due is None:
                        await ledger.open_partition(connection, topic, partition, held.start, self._owner)
                        known[topic, partition] = held.start
                    elif due < held.start:
                        log.error("hole in the log", topic=topic, partition=partition, start=due, end=held.start)
                        await ledger.record_hole(connection, topic, partition, due, held.start)
                        metrics.HOLES.labels(topic).inc(held.start - due)
                        known[topic, partition] = held.start
                    elif due > held.stop:
                        die(
                            f"{tp.topic}:{partition} ends at offset {held.stop}, but {due} were processed: this is not"
                            " the log that the ledger knows (a topic made anew, another prefix, records lost);"
                            " see docs/operations.md"
                        )
        except TRANSIENT as error:
            # Kafka's committed offset serves meanwhile: what was done is skipped, and a jump ahead is a Gap.
            log.warning("ledger out of reach", error=f"{type(error).__name__}: {error}")
            self._runner.sought = False
            return {}
        self._runner.sought = True
        self._runner.positions |= known
        return {tp: known[place] for tp, place in places.items()}
