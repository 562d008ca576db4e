"""How far everything has come: what `gatefold status` shows and `gatefold wait` waits for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.kafka import LogReader
    from services.settings import Settings
    from services.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Progress:
    """One partition of an input topic (unprefixed): where its log ends and where the worker is."""

    topic: str
    partition: int
    log_end: int
    base_offset: int
    next_offset: int
    processed: int
    duplicate: int
    dead: int
    hole: int

    @property
    def behind(self) -> int:
        """Records that are not processed yet."""
        return max(0, self.log_end - self.next_offset)


@dataclass(frozen=True, slots=True)
class Status:
    """All input partitions, and what waits elsewhere: messages to publish, users whose graph is due by now."""

    partitions: list[Progress]
    outbox: int
    outbox_failed: int
    news: int
    graph_due: int = 0

    @property
    def behind(self) -> int:
        """Records that are not processed yet, all in all."""
        return sum(one.behind for one in self.partitions)

    @property
    def done(self) -> bool:
        """Whether everything sent before is processed and published.

        Shape:   right only because `observe` reads ledger and outbox in one snapshot, and the ends of the logs after
                 it: an event between the two is past the ledger, and whatever a processed event has sent was
                 published before the snapshot, so the ends include it.
        """
        return self.done_without_graph and self.graph_due == 0

    @property
    def done_without_graph(self) -> bool:
        """The same, whatever the graph lane has still to do."""
        return self.behind == 0 and self.outbox == 0 and self.news == 0

    def as_dict(self) -> dict[str, Any]:
        """The shape of `gatefold status --json`."""
        return asdict(self)


async def observe(settings: Settings, connection: Connection, reader: LogReader) -> Status:
    """Ledger and outbox first, then the logs; this order is what `Status.done` rests on.

    Raises:  kafka.MissingTopic where an input topic was not declared.
    """
    from contracts.topics import INPUT_TOPICS
    from services.stores.positions import load_positions

    positions = await load_positions(connection)
    names = {settings.topic(topic): topic for topic in INPUT_TOPICS}
    found = []
    for (name, partition), log in sorted((await reader.ranges(list(names))).items()):
        topic = names[name]
        row = positions.ledger.get((topic, partition))
        if row is None:
            found.append(Progress(topic, partition, log.end, log.begin, log.begin, 0, 0, 0, 0))
        else:
            found.append(
                Progress(
                    topic,
                    partition,
                    log.end,
                    row.base_offset,
                    row.next_offset,
                    row.processed,
                    row.duplicate,
                    row.dead,
                    row.hole,
                )
            )
    return Status(found, positions.unsent, positions.failed, positions.untold, positions.graph_due)
