"""The relay: in order, at least once, one leader, and nothing that Kafka refuses stands in the way."""

import asyncio
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.relay.main import Relay
from services.settings import Settings
from services.stores.outbox import count_holders
from tests.conftest import Engines
from tests.integration.commands import command, gatefold

TOPIC = "badge.awarded"
PARTITIONS = 3
SMALL_TOPIC = "event.rejected"


@pytest.fixture(scope="module")
def surroundings(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "GATEFOLD_TOPIC_PARTITIONS": str(PARTITIONS), "GATEFOLD_RELAY_PORT": "0"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def options(surroundings: dict[str, str], topic_prefix: str) -> Settings:
    """Settings of the module's relays, its topics declared; one of them takes small messages only."""
    admin = AIOKafkaAdminClient(bootstrap_servers=surroundings["GATEFOLD_KAFKA_URL"].removeprefix("kafka://"))
    await admin.start()
    small = NewTopic(topic_prefix + SMALL_TOPIC, PARTITIONS, 1, topic_configs={"max.message.bytes": "2000"})
    await admin.create_topics([small])
    await admin.close()
    assert (await asyncio.to_thread(gatefold, surroundings, "topics")).code == 0
    return Settings(
        postgres_url=surroundings["GATEFOLD_POSTGRES_URL"],
        kafka_url=surroundings["GATEFOLD_KAFKA_URL"],
        topic_prefix=topic_prefix,
        relay_port=0,
        holders_seconds=0.1,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def db(options: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(options.postgres_url)
    await connection.execute("truncate outbox restart identity")
    yield connection
    await connection.close()


@asynccontextmanager
async def running(options: Settings) -> AsyncIterator[Relay]:
    relay = Relay(options)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await asyncio.wait_for(task, 30)


async def put(db: asyncpg.Connection, subject: str, name: str, topic: str = TOPIC, value: bytes | None = None) -> None:
    await db.execute(
        "insert into outbox (topic, subject, event_id, time, value) values ($1, $2, $3, '2026-01-02T03:04:05Z', $4)",
        topic,
        subject,
        name,
        value or b'{"n": "%b"}' % name.encode(),
    )


async def empty(db: asyncpg.Connection) -> bool:
    return not await db.fetchval("select count(*) from outbox where failed_at is null")


async def until(what: Callable[[], Any], seconds: float = 20) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not await what():
        assert asyncio.get_running_loop().time() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def reading(options: Settings, *topics: str) -> AsyncIterator[Callable[[], Any]]:
    """A function that answers the records that came since the start, in their order per partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=options.bootstrap)
    await consumer.start()
    places = [TopicPartition(options.topic(name), part) for name in topics or (TOPIC,) for part in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_end(*places)
    for place in places:
        await consumer.position(place)

    async def records() -> list[ConsumerRecord]:
        ends = await consumer.end_offsets(places)
        found: list[ConsumerRecord] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found

    try:
        yield records
    finally:
        await consumer.stop()


async def test_publishes_in_order_per_subject(options: Settings, db: asyncpg.Connection) -> None:
    names = [(f"user-{number % 7}", f"{number:05d}") for number in range(1500)]
    await db.executemany(
        "insert into outbox (topic, subject, event_id, time, value) values ($1, $2, $3, now(), '{}')",
        [(TOPIC, subject, name) for subject, name in names],
    )
    async with reading(options) as records:
        async with running(options):
            await until(lambda: empty(db))
        found = await records()
    assert len(found) == len(names)
    for subject in {subject for subject, _ in names}:
        mine = [dict(record.headers)["ce_id"].decode() for record in found if record.key == subject.encode()]
        assert mine == [name for one, name in names if one == subject]


async def test_a_message_is_a_binary_cloud_event(options: Settings, db: asyncpg.Connection) -> None:
    async with reading(options) as records:
        async with running(options):
            await put(db, "ann", "a:1", value=b'{"exactly":  "these bytes"}')
            await until(lambda: empty(db))
        (record,) = await records()
    headers = {name: value.decode() for name, value in record.headers}
    assert (record.key, record.value) == (b"ann", b'{"exactly":  "these bytes"}')
    assert {name: headers[name] for name in headers if name.startswith("ce_")} == {
        "ce_specversion": "1.0",
        "ce_id": "a:1",
        "ce_source": "gatefold",
        "ce_type": TOPIC,
        "ce_subject": "ann",
        "ce_time": "2026-01-02T03:04:05Z",
    }


async def test_rows_that_become_visible_late_are_published(options: Settings, db: asyncpg.Connection) -> None:
    slow = await asyncpg.connect(options.postgres_url)
    async with reading(options) as records:
        async with running(options):
            transaction = slow.transaction()
            await transaction.start()
            await put(slow, "slow", "first-id")
            await put(db, "fast", "second-id")
            await until(lambda: empty(db))
            await transaction.commit()
            await until(lambda: empty(db))
        assert [record.key for record in await records()] == [b"fast", b"slow"]
    await slow.close()


async def test_a_refused_message_is_marked_and_blocks_nobody(options: Settings, db: asyncpg.Connection) -> None:
    for number in range(20):
        await put(db, "same", f"{number:02d}", SMALL_TOPIC, b"x" * (5000 if number % 5 == 3 else 300))
    await put(db, "same", "no-topic", "no.such.topic")
    await put(db, "same", "no-name", "not a topic!")
    await put(db, "other", "after")
    async with reading(options, SMALL_TOPIC, TOPIC) as records:
        async with running(options):
            await until(lambda: empty(db))
        found = [dict(record.headers)["ce_id"].decode() for record in await records()]
    assert [name for name in found if name != "after"] == [f"{n:02d}" for n in range(20) if n % 5 != 3]
    assert "after" in found
    failed = await db.fetch("select event_id, error, failed_at from outbox order by id")
    assert [row["event_id"] for row in failed] == ["03", "08", "13", "18", "no-topic", "no-name"]
    assert "5,000 bytes are more" in failed[0]["error"]
    assert all(row["failed_at"] for row in failed)


async def test_a_subject_keeps_its_order_across_topics(options: Settings, db: asyncpg.Connection) -> None:
    """A message of a topic that is missing holds back what its subject has behind it, until the topic is there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=options.bootstrap)
    await admin.start()
    missing = options.topic("badge.revoked")
    await admin.delete_topics([missing])
    await put(db, "ann", "1", "badge.revoked")
    await put(db, "ann", "2", TOPIC)
    async with reading(options) as records:
        async with running(options):
            await asyncio.sleep(4)
            assert await records() == []
            await admin.create_topics([NewTopic(missing, PARTITIONS, 1)])
            await until(lambda: empty(db))
        assert [record.key for record in await records()] == [b"ann"]
    await admin.close()


async def test_killed_between_acknowledgement_and_delete_it_publishes_the_same_bytes_again(
    options: Settings, db: asyncpg.Connection, surroundings: dict[str, str]
) -> None:
    await put(db, "ann", "once:1")
    await put(db, "ann", "once:2")
    holder = await asyncpg.connect(options.postgres_url)
    transaction = holder.transaction()
    await transaction.start()
    # Whoever holds the rows keeps the relay from deleting them.
    await holder.fetch("select from outbox for update")
    async with reading(options) as records:
        process = subprocess.Popen(command("relay"), env={**os.environ, **surroundings}, stderr=subprocess.DEVNULL)
        try:
            first: list[ConsumerRecord] = []

            async def both() -> bool:
                first.extend(await records())
                return len(first) == 2

            await until(both)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

        async def alone() -> bool:
            return not await db.fetchval(
                "select count(*) from pg_stat_activity"
                " where application_name = 'gatefold-relay' and datname = current_database()"
            )

        await until(alone)
        await transaction.commit()
        await holder.close()
        assert await db.fetchval("select count(*) from outbox") == 2
        async with running(options):
            await until(lambda: empty(db))
        again = await records()
    assert [(r.key, r.value, r.headers) for r in again] == [(r.key, r.value, r.headers) for r in first]


async def test_of_two_relays_one_leads_and_the_other_takes_over(options: Settings, db: asyncpg.Connection) -> None:
    leads = (
        "select pid from pg_locks where locktype = 'advisory' and granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    async with reading(options) as records:
        async with running(options), running(options):

            async def led() -> bool:
                return len(await db.fetch(leads)) == 1

            await until(led)
            for number in range(50):
                await put(db, "ann", f"{number:02d}")
            await until(lambda: empty(db))
            assert len(await records()) == 50
            (row,) = await db.fetch(leads)
            await db.execute("select pg_terminate_backend($1)", row["pid"])
            await put(db, "ann", "after")
            await until(lambda: empty(db))
            (now,) = await db.fetch(leads)
            assert now["pid"] != row["pid"]
        assert [dict(record.headers)["ce_id"] for record in await records()] == [b"after"]


async def test_it_waits_for_kafka_and_resumes(options: Settings, db: asyncpg.Connection, stack: Engines) -> None:
    async with running(options):
        await put(db, "ann", "before")
        await until(lambda: empty(db))
        await asyncio.to_thread(stack.stop_engine, "kafka")
        for number in range(30):
            await put(db, "ann", f"{number:02d}")
        await asyncio.sleep(1.5)
        assert await db.fetchval("select count(*) from outbox where failed_at is null") == 30
        await asyncio.to_thread(stack.start_engine, "kafka")
        await until(lambda: empty(db), 60)
    assert await db.fetchval("select count(*) from outbox") == 0


async def test_awards_by_hand_are_published_in_their_order(
    options: Settings, db: asyncpg.Connection, surroundings: dict[str, str]
) -> None:
    """Given, taken and given again on the command line: each an event of its own, once, under the user's key."""
    await db.execute("insert into collector (user_id) values ('hal') on conflict do nothing")
    async with reading(options, TOPIC, "badge.revoked") as records:
        for act in ("grant", "grant", "revoke", "revoke", "grant"):
            done = await asyncio.to_thread(
                gatefold, surroundings, "award", act, "hal", "deep-cut", "--reason", "so", "--by", "me", "--json"
            )
            assert done.code == 0, done.err
        name = json.loads(done.out)["award_id"]
        async with running(options):
            await until(lambda: empty(db))
        found = await records()
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for record in found:
        headers = {key: value.decode() for key, value in record.headers}
        assert (record.key, headers["ce_subject"], headers["ce_type"]) == (
            b"hal",
            "hal",
            record.topic[len(options.topic("")) :],
        )
        by_topic.setdefault(headers["ce_type"], []).append({"id": headers["ce_id"], **json.loads(record.value)})
    assert [one["id"] for one in by_topic["badge.awarded"]] == [f"{name}:1", f"{name}:2"]
    assert [one["source"] for one in by_topic["badge.awarded"]] == ["manual", "manual"]
    (gone,) = by_topic["badge.revoked"]
    assert gone | {"revoked_at": ""} == {
        "id": f"{name}:1:revoked",
        "award_id": name,
        "revision": 1,
        "user_id": "hal",
        "badge_key": "deep-cut",
        "context": "",
        "revoked_at": "",
        "by": "me",
        "reason": "so",
    }
    await db.execute("delete from user_badges; delete from collector")


async def test_counts_holders(options: Settings, db: asyncpg.Connection) -> None:
    await db.execute("insert into collector (user_id) values ('a'), ('b'), ('c')")
    await db.execute("insert into badge_holders values ('vanished', 3, now())")
    await db.execute(
        "insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by,"
        " batch_id, evidence, revoked_at) select u, b, c, gen_random_uuid(), now(), 'auto', 't', '{}',"
        " gen_random_uuid(), '{}', r from (values ('a', 'owner-i', '', null::timestamptz), ('b', 'owner-i', '', null),"
        " ('c', 'owner-i', '', now()), ('a', 'm', 'master:1', null), ('a', 'm', 'master:2', null)) as v (u, b, c, r)"
    )
    await count_holders(db)
    assert {row[0]: row[1] for row in await db.fetch("select badge_key, holders from badge_holders")} == {
        "": 3,
        "owner-i": 2,
        "m": 1,
    }
    await db.execute("update user_badges set revoked_at = now() where badge_key = 'm'")
    async with running(options):

        async def counted() -> bool:
            return len(await db.fetch("select from badge_holders")) == 2

        await until(counted)


def test_the_process_shows_its_health_and_stops_in_order(surroundings: dict[str, str], options: Settings) -> None:
    process = subprocess.Popen(
        [*command("relay"), "--json"], env={**os.environ, **surroundings}, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        lines = iter(process.stderr)
        url = next(line.split('"url": "')[1].split('"')[0] for line in lines if '"url"' in line)
        next(line for line in lines if "leading" in line)
        for path, wanted in (("healthz", '"role": "leader"'), ("readyz", '"ok": true'), ("metrics", "leader 1.0")):
            with urllib.request.urlopen(f"{url}/{path}") as answer:
                assert wanted in answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert '"event": "stopped"' in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


@pytest.mark.parametrize("variable", ["GATEFOLD_POSTGRES_URL", "GATEFOLD_KAFKA_URL"])
def test_an_unreachable_server_at_the_start_is_named(surroundings: dict[str, str], variable: str) -> None:
    url = "postgresql://u@127.0.0.1:1/x" if "POSTGRES" in variable else "kafka://127.0.0.1:1"
    done = gatefold({**surroundings, variable: url}, "relay")
    assert done.code == 69
    assert variable in done.err
