"""A log and two workers without Kafka and Faust: records are appended, and delivered to `process` in bundles.

Shape:   an event is a dict as the oracle takes it; `log[topic, partition]` holds entries in offset order.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from catalog.index import load_catalog
from contracts.envelope import rfc3339
from services.stores import campaigns, collectors, exports, ledger, news
from services.stores.postgres import Connection, connect, worker_limits
from services.worker import recounting
from services.worker.bundle import Done, process
from services.worker.work import Knowledge
from tests.model import pools
from tests.model.oracle import Event

RECORDED = datetime(2028, 12, 1, tzinfo=UTC)
ERASURE_KEY = b"an-erasure-key-of-the-tests"
CLEAR = """
    delete from collector; delete from facet_value; delete from facet_count; delete from facts; delete from release;
    delete from owned; delete from owned_release; delete from activity; delete from erased; delete from award;
    delete from graph_due; delete from collector_graph; delete from share;
    delete from outbox; delete from inbox; delete from dead_letter; delete from offset_ledger; delete from offset_hole;
    delete from campaign; delete from campaign_cursor; delete from campaign_progress;
    delete from news; delete from catalogue_total; delete from master; delete from label; delete from artist;
    delete from notice; delete from notice_award;
    truncate award_log;
"""


@dataclass(frozen=True)
class Record:
    """A Kafka record as `process` reads it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Entry:
    """A record of the log and what it says; `event` is None where it is poison."""

    record: Record
    event: Event | None


@dataclass
class Log:
    """The input topics: partitions that only grow, and how far each was delivered."""

    partitions: defaultdict[tuple[str, int], list[Entry]] = field(default_factory=lambda: defaultdict(list))
    delivered: defaultdict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))

    def append(self, event: Event, partition: int = 0, *, structured: bool = False) -> Entry:
        """Publish an event on the topic of its type."""
        attributes = {name: event[name] for name in ("id", "source", "type", "subject")}
        attributes |= {"specversion": "1.0", "time": rfc3339(event["time"])}
        if structured:
            headers = [("content-type", b"application/cloudevents+json")]
            value = json.dumps({**attributes, "data": event["data"]}).encode()
        else:
            headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
            value = json.dumps(event["data"]).encode()
        return self._put(event["type"], partition, event["subject"].encode(), value, headers, event)

    def poison(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> Entry:
        """Publish what is no event."""
        return self._put(topic, partition, key, value, [], None)

    def _put(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any, event: Event | None
    ) -> Entry:
        entries = self.partitions[topic, partition]
        entry = Entry(Record(len(entries), int(RECORDED.timestamp() * 1000), key, value, headers), event)
        entries.append(entry)
        return entry

    def waiting(self) -> list[tuple[str, int]]:
        """The partitions with records that were not delivered, the one that was written to first first."""
        return [place for place, entries in self.partitions.items() if self.delivered[place] < len(entries)]


def knowledge(owner: str = "worker") -> Knowledge:
    """What a worker that has just started knows."""
    return Knowledge(load_catalog(), erasure_key=ERASURE_KEY, owner=owner)


async def worker_connection(url: str) -> Connection:
    """A connection with the limits that workers set; nobody pulls the plug, so commits need not reach the disk."""
    limits = worker_limits() | {"synchronous_commit": "off"}
    return await connect(url, application="test-worker", limits=limits, command_seconds=20)


async def clear(connection: Connection) -> None:
    """Forget everything that was ever processed; the catalogue's totals are those of the pools."""
    await connection.execute(CLEAR)
    await stock(connection)


async def stock(connection: Connection) -> None:
    """Give the catalogue the totals of the pools."""
    for (kind, id_), (total, name) in pools.TOTALS.items():
        await connection.execute(
            "insert into catalogue_total values ($1, $2, $3, $4)", kind, id_, total, date.fromisoformat(pools.AS_OF)
        )
        if name is not None:
            await connection.execute(f"insert into {kind} ({kind}_id, name) values ($1, $2)", id_, name)  # noqa: S608


async def apply(
    connection: Connection,
    known: Knowledge,
    place: tuple[str, int],
    entries: Iterable[Entry],
    condemned: Mapping[int, str] | None = None,
) -> Done:
    """One bundle; the partition's account is opened where it was not, and owners are told of what is news."""
    await ledger.open_partition(connection, *place, 0, known.owner)
    done = await process(connection, known, *place, [entry.record for entry in entries], condemned)
    await tell(connection)
    return done


async def campaign(connection: Connection, known: Knowledge, log: Log, campaign_id: str, page: int = 3) -> None:
    """Work a campaign off to its end, in small pages, like relay and worker."""
    while await campaigns.send(connection, campaign_id, page):
        await relay_sweeps(connection, log)
        await drain(connection, known, log)
    (stands,) = await campaigns.show(connection, campaign_id)
    assert stands.done >= stands.sent
    await campaigns.finish(connection, campaign_id)


async def tell(connection: Connection) -> None:
    """Tell all the news, like the relay, in small pages."""
    while await news.tell(connection, 2) is not None:
        pass


async def drain(connection: Connection, known: Knowledge, log: Log, size: int = 500) -> list[Done]:
    """Deliver all that waits, partition after partition, in bundles of one size."""
    done = []
    for place in log.waiting():
        entries = log.partitions[place]
        for start in range(log.delivered[place], len(entries), size):
            done.append(await apply(connection, known, place, entries[start : start + size]))
        log.delivered[place] = len(entries)
    return done


async def state_of(connection: Connection) -> dict[str, dict[str, Any]]:
    """What `gatefold export state` says, by user."""
    async with connection.transaction():
        lines = [json.loads(line) async for line in exports.export_state(connection)]
    return {line.pop("user_id"): line for line in lines}


async def awards_of(connection: Connection) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What `gatefold export awards` says, by user, badge and context."""
    async with connection.transaction():
        lines = [json.loads(line) async for line in exports.export_awards(connection)]
    return {(line.pop("user_id"), line.pop("badge_key"), line.pop("context")): line for line in lines}


async def drift_of(connection: Connection, users: Iterable[str]) -> dict[str, Any]:
    """What `gatefold recount --check` finds, by user; empty is how it should be."""
    found = {}
    fresh = knowledge("recount")
    for user in users:
        async with connection.transaction():
            locked = await collectors.lock(connection, [user], ERASURE_KEY, create=False)
            drift = (await recounting.recount(connection, fresh, locked[user], refresh=False)).drift
        if drift:
            found[user] = drift
    return found


async def relay_sweeps(connection: Connection, log: Log) -> bool:
    """Publish the sweeps that wait in the outbox, like the relay; whether there were any."""
    rows = await connection.fetch("delete from outbox where topic = 'cron.sweep' returning *")
    for row in rows:
        event = {"type": "cron.sweep", "id": row["event_id"], "source": "gatefold", "time": row["time"]}
        log.append({**event, "subject": row["subject"], "data": json.loads(row["value"])})
    return bool(rows)
