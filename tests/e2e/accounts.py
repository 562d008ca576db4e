"""The books: what the log says must have happened, against what has; nothing lost, nothing twice."""

import asyncio
import json
from typing import Any

from aiokafka import ConsumerRecord

from contracts.envelope import rfc3339
from tests.e2e.events import parsed
from tests.e2e.world import Log, World
from tests.model.oracle import Oracle


def replayed(log: Log) -> Oracle:
    """The model, fed with everything the log holds, one partition after another."""
    oracle = Oracle()
    for (topic, partition), records in sorted(log.items()):
        for record in records:
            oracle.take(topic, partition, record.offset, parsed(topic, record.value, dict(record.headers)), record.key)
    return oracle


async def balance(world: World, log: Log | None = None) -> Oracle:
    """Compare everything once the world is drained: positions, state, awards, dead letters, messages, drift."""
    status = await world.drained()
    oracle = replayed(await world.log() if log is None else log)
    fates: dict[tuple[str, int], tuple[int, ...]] = {}
    for one in status.partitions:
        assert one.processed + one.duplicate + one.dead + one.hole == one.next_offset - one.base_offset
        assert one.next_offset == one.log_end
        fates[one.topic, one.partition] = (one.processed, one.duplicate, one.dead)
    due = {place: tuple(oracle.ledger[place][fate] for fate in ("processed", "duplicate", "dead")) for place in fates}
    assert fates == due
    assert await world.state() == oracle.state()
    awards = await world.awards()
    expected = {
        (name, badge, context): (rfc3339(award["awarded_at"]), award["evidence"])
        for name, user in oracle.users.items()
        for (badge, context), award in user.awards.items()
    }
    assert {name: (award["awarded_at"], award["evidence"]) for name, award in awards.items()} == expected
    assert (await world.letters()).keys() == oracle.dead.keys()
    await check_published(world)
    recount = await asyncio.to_thread(world.run, "recount", "--check")
    assert recount.code == 0, recount.out + recount.err
    return oracle


async def check_published(world: World) -> None:
    """One message for each award and each dead letter; a second delivery is byte for byte the first."""
    deliveries = await world.published("badge.awarded")
    messages = {_id(record): _content(record) for record in deliveries}
    assert all(messages[_id(record)] == _content(record) for record in deliveries)
    async with world.database() as connection:
        rows = await connection.fetch("select award_id || ':' || revision as id, user_id from user_badges")
    assert {name: content[0].decode() for name, content in messages.items()} == {
        row["id"]: row["user_id"] for row in rows
    }
    rejected = [json.loads(record.value) for record in await world.published("event.rejected")]
    places = {(one["topic"], one["partition"], one["offset"]) for one in rejected}
    assert places == (await world.letters()).keys()


def _id(record: ConsumerRecord) -> str:
    return dict(record.headers)["ce_id"].decode()


def _content(record: ConsumerRecord) -> tuple[Any, ...]:
    return record.key, record.value, tuple(record.headers)
