"""A bundle: the records of one partition, from bytes to awards, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from catalog.definition import SWEEP
from contracts.envelope import Event, InvalidEvent, decode
from contracts.events.rejection import Stage, rejection_id
from services.logs import logger
from services.stores import awards, dead_letters, inbox, ledger
from services.stores.awards import Message, NewAward
from services.stores.dead_letters import Letter, rejected_data
from services.stores.postgres import Connection
from services.worker.activity import KINDS, ActivityBundle
from services.worker.brake import Brake, Flood
from services.worker.described import describe, stated_values
from services.worker.erasure import erase
from services.worker.ownership import OwnershipBundle
from services.worker.sweep import count_campaigns, sweep
from services.worker.synced import mark_due
from services.worker.tenure import measure_tenure
from services.worker.work import Accepted, EventFailed, Knowledge, Work

log = logger(__name__)

LAST_MS: Final = 253_402_300_799_000  # the end of the year 9999
CATALOGUE_TOPICS: Final = frozenset({"release.described", "user.deleted"})


class Record(Protocol):
    """What of a Kafka record matters here."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Gap(Exception):
    """The log jumped over offsets that were not processed."""

    def __init__(self, topic: str, partition: int, due: int, got: int) -> None:
        super().__init__(f"{topic}:{partition} is due at offset {due}, but the log goes on at {got}")
        self.topic, self.partition, self.due, self.got = topic, partition, due, got


class Unopened(Exception):
    """The ledger has no account of this partition yet."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of the records of a bundle; `conflicting` duplicates came with other data than the first."""

    processed: int = 0
    duplicate: int = 0
    dead: int = 0
    skipped: int = 0
    conflicting: int = 0
    awards: Sequence[NewAward] = ()
    stages: Sequence[str] = ()
    newest: datetime | None = None
    dead_at: Sequence[int] = ()  # positions of the dead ones among the records that were not skipped


async def process(
    connection: Connection,
    knowledge: Knowledge,
    topic: str,
    partition: int,
    records: Sequence[Record],
    condemned: Mapping[int, str] | None = None,
    brake: Brake | None = None,
) -> Done:
    """Apply a bundle, all of it or nothing: the state, the awards and the position move together.

    Shape:   `records` have rising offsets; those below the ledger's position are skipped. `condemned` are offsets of
             valid events that cannot be applied: they become dead letters, with these reasons.
    Raises:  Gap; Unopened; EventFailed; Flood, where `brake` wants less of it to be applied; one of
             postgres.TRANSIENT; anything else is a fault of ours.
    """
    events, letters = _decode(topic, partition, records, condemned or {})
    if letters and brake is not None:
        offsets = {letter.offset for letter in letters}
        brake.check([at for at, record in enumerate(records) if record.offset in offsets], len(records))
    ownership = OwnershipBundle(Work(connection, knowledge)) if topic.startswith("ownership.") else None
    # Ids of genres and styles must outlive a transaction that fails, so they are given before it.
    if ownership is not None:
        await knowledge.facet_ids.ensure(connection, ownership.stated_values(events))
    elif topic == "release.described":
        await knowledge.facet_ids.ensure(connection, stated_values(events))
    async with connection.transaction():
        due = await ledger.lock(
            connection, topic, partition, exclusive=topic in CATALOGUE_TOPICS, campaigns=topic == SWEEP
        )
        if due is None:
            raise Unopened
        taken = [record.offset for record in records if record.offset >= due]
        for at, offset in enumerate(taken, due):
            if at != offset:
                raise Gap(topic, partition, at, offset)
        if not taken:
            return Done(skipped=len(records))
        accepted, conflicting = await _accept(connection, partition, [one for one in events if one.offset >= due])
        given = await _apply(topic, partition, accepted, ownership, Work(connection, knowledge))
        buried = [letter for letter in letters if letter.offset >= due]
        if topic == SWEEP:
            await count_campaigns(connection, partition, accepted, buried, given)
        await _bury(connection, _kept(buried, accepted) if topic == "user.deleted" else buried)
        duplicate = len(taken) - len(accepted) - len(buried)
        await ledger.advance(
            connection,
            topic,
            partition,
            processed=len(accepted),
            duplicate=duplicate,
            dead=len(buried),
            owner=knowledge.owner,
        )
    return Done(
        processed=len(accepted),
        duplicate=duplicate,
        dead=len(buried),
        skipped=len(records) - len(taken),
        conflicting=conflicting,
        awards=given,
        stages=[letter.stage for letter in buried],
        newest=max((one.event.time for one in accepted), default=None),
        dead_at=[letter.offset - due for letter in buried],
    )


def _decode(
    topic: str, partition: int, records: Sequence[Record], condemned: Mapping[int, str]
) -> tuple[list[Accepted], list[Letter]]:
    events: list[Accepted] = []
    letters: list[Letter] = []
    for record in records:
        try:
            event = decode(topic, record.key, record.value, record.headers, record.timestamp)
            if record.offset in condemned:
                raise InvalidEvent("evaluator", condemned[record.offset])
            events.append(Accepted(record.offset, event))
        except InvalidEvent as error:
            letters.append(_letter(topic, partition, record, error.stage, error.reason))
    return events, letters


def _letter(topic: str, partition: int, record: Record, stage: Stage, reason: str) -> Letter:
    recorded_at = datetime.fromtimestamp(min(max(record.timestamp, 0), LAST_MS) / 1000, UTC)
    return Letter(
        topic,
        partition,
        record.offset,
        record.key,
        record.value,
        record.headers,
        recorded_at,
        stage,
        reason,
        seen_at=datetime.now(UTC),
    )


async def _accept(connection: Connection, partition: int, events: Sequence[Accepted]) -> tuple[list[Accepted], int]:
    """The events whose identity is new, the first of each; and how many others came with other data."""
    if not events:
        return [], 0
    first: dict[bytes, Accepted] = {}
    repeated: list[tuple[bytes, Accepted]] = []
    for one in events:
        name = inbox.identity(one.event.source, one.event.id)
        if first.setdefault(name, one) is not one:
            repeated.append((name, one))
    new = await inbox.accept(connection, {name: _digest(one.event) for name, one in first.items()})
    known = [name for name in first if name not in new]
    repeated += [(name, first[name]) for name in known]
    conflicting = 0
    if repeated:
        stored = await inbox.digests(connection, [name for name, _ in repeated])
        for name, one in repeated:
            if stored[name] != _digest(one.event):
                conflicting += 1
                # Where, and not whose: an event's id may hold a user's.
                log.warning("duplicate with other data", topic=one.event.type, partition=partition, offset=one.offset)
    return [one for name, one in first.items() if name in new], conflicting


async def _apply(
    topic: str, partition: int, accepted: Sequence[Accepted], ownership: OwnershipBundle | None, work: Work
) -> list[NewAward]:
    if not accepted:
        return []
    if ownership is not None:
        return await ownership.apply(accepted)
    if topic in KINDS:
        return await ActivityBundle(work).apply(accepted)
    match topic:
        case "cron.anniversary":
            return await measure_tenure(work, accepted)
        case "cron.sweep":
            return await sweep(work, accepted)
        case "user.deleted":
            return await erase(work, accepted)
        case "release.described":
            return await describe(work, accepted)
        case "collection.synced":
            return await mark_due(work, accepted, partition)
    raise ValueError(f"no handler for topic {topic}")


def _kept(letters: Sequence[Letter], deletions: Sequence[Accepted]) -> list[Letter]:
    """The letters of a bundle that no deletion behind them takes along."""
    last = {one.event.subject.encode(): one.offset for one in deletions}
    return [letter for letter in letters if letter.key is None or last.get(letter.key, -1) < letter.offset]


async def _bury(connection: Connection, letters: Sequence[Letter]) -> None:
    if not letters:
        return
    await dead_letters.record_letters(connection, letters)
    messages = []
    for one in letters:
        name = rejection_id(one.topic, one.partition, one.offset)
        value = rejected_data(
            one.topic, one.partition, one.offset, one.key, one.value, one.stage, one.reason, one.seen_at
        )
        messages.append(Message("event.rejected", name, name, one.seen_at, value))
    await awards.publish(connection, messages)


def _digest(event: Event) -> int:
    return int.from_bytes(event.digest, "little", signed=True)


__all__ = ["Done", "EventFailed", "Flood", "Gap", "Record", "Unopened", "process"]
