"""status, wait, export and dead-letters on real engines; workers and relays are played by SQL."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.stores.dead_letters import Letter, record_letters
from services.stores.queries import statements
from tests.integration.commands import gatefold

PARTITIONS = 2
COUNTERS = (
    *("releases", "genres", "styles", "labels", "countries", "decades", "largest_decade", "mono_releases"),
    *("formats", "deep_cuts", "first_pressings", "taste_dimensions", "reviews", "edits", "wishlist", "compares"),
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def surroundings(environment: dict[str, str]) -> dict[str, str]:
    found = {**environment, "GATEFOLD_TOPIC_PARTITIONS": str(PARTITIONS)}
    assert gatefold(found, "topics").code == 0
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def db(surroundings: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(surroundings["GATEFOLD_POSTGRES_URL"])
    await connection.execute(
        "truncate outbox, offset_ledger, dead_letter, collector, facet_count, award restart identity"
    )
    yield connection
    await connection.close()


def emit(surroundings: dict[str, str], count: int) -> None:
    events = "".join(f'{{"type": "compare.used", "subject": "user-{n}", "n": {n}}}\n' for n in range(count))
    done = gatefold(surroundings, "emit", "-", "--no-validate", stdin=events.encode())
    assert done.code == 0, done.err


def status(surroundings: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gatefold(surroundings, "status", "--json").out)
    return found


async def process_everything(db: asyncpg.Connection, found: dict[str, Any]) -> None:
    """Moves the ledger to the ends of the logs, the last record of each being dead."""
    for one in found["partitions"]:
        if one["log_end"]:
            await db.execute(
                "insert into offset_ledger (topic, partition, base_offset, next_offset, processed, dead, owner,"
                " updated_at) values ($1, $2, 0, $3::bigint, $3::bigint - 1, 1, 'test', now())"
                " on conflict (topic, partition) do update set next_offset = $3, processed = $3::bigint - 1",
                one["topic"],
                one["partition"],
                one["log_end"],
            )


async def test_status_and_wait(surroundings: dict[str, str], db: asyncpg.Connection) -> None:
    before = status(surroundings)
    assert (before["outbox"], before["graph_due"], len(before["partitions"])) == (0, 0, 13 * PARTITIONS)
    done = gatefold(surroundings, "wait", "--timeout", "5")
    assert done.code == 0, done.err

    emit(surroundings, 40)
    found = [one for one in status(surroundings)["partitions"] if one["topic"] == "compare.used"]
    assert sum(one["log_end"] for one in found) == 40
    assert {(one["base_offset"], one["next_offset"], one["processed"]) for one in found} == {(0, 0, 0)}

    begin = time.monotonic()
    done = gatefold(surroundings, "wait", "--timeout", "1")
    assert done.code == 1
    assert "of compare.used[0]" in done.err
    assert "of compare.used[1]" in done.err
    assert time.monotonic() - begin < 6

    await process_everything(db, status(surroundings))
    found = status(surroundings)["partitions"]
    for one in found:
        accounted = one["processed"] + one["duplicate"] + one["dead"] + one["hole"]
        assert accounted == one["next_offset"] - one["base_offset"]
    assert gatefold(surroundings, "wait", "--timeout", "5", "--without-graph").code == 0


async def test_wait_waits_for_the_outbox_but_not_for_refused_messages(
    surroundings: dict[str, str], db: asyncpg.Connection
) -> None:
    await process_everything(db, status(surroundings))
    insert = (
        "insert into outbox (topic, subject, event_id, time, value, failed_at) values ('t', 's', $1, now(), '', $2)"
    )
    await db.execute(insert, "waits", None)
    await db.execute(insert, "refused", NOW)
    found = status(surroundings)
    assert (found["outbox"], found["outbox_failed"]) == (1, 1)
    done = gatefold(surroundings, "wait", "--timeout", "0.5", "--json")
    assert done.code == 1
    assert "messages to publish: 1" in done.err
    assert json.loads(done.out)["done"] is False

    answers = []
    thread = threading.Thread(target=lambda: answers.append(gatefold(surroundings, "wait", "--timeout", "30")))
    thread.start()
    await asyncio.sleep(2)
    assert thread.is_alive()
    await db.execute("delete from outbox where event_id = 'waits'")
    await asyncio.to_thread(thread.join)
    assert answers[0].code == 0


def test_undeclared_topics_are_said_to_be_missing(surroundings: dict[str, str]) -> None:
    for name in ("status", "wait"):
        done = gatefold({**surroundings, "GATEFOLD_TOPIC_PREFIX": "nobodys."}, name)
        assert done.code == 1
        assert "gatefold topics" in done.err


async def test_export_awards(surroundings: dict[str, str], db: asyncpg.Connection) -> None:
    rows = [
        ("b", "owner-i", ""),
        ("B", "owner-i", ""),
        ("a.b", "master-collector-bronze", "master:9"),
        ("a.b", "master-collector-bronze", "master:10"),
        ("a-b", "owner-i", ""),
    ]
    await db.executemany(
        "insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by,"
        " batch_id, evidence, revoked_at) values ($1, $2, $3, gen_random_uuid(), '2026-01-02T03:04:05.250+02', 'auto',"
        ' \'t\', \'{}\', gen_random_uuid(), \'{"metric": "releases", "value": 1, "title": "Č"}\', null)',
        rows,
    )
    await db.execute("update user_badges set revoked_at = '2026-02-01T00:00:00Z' where user_id = 'b'")
    done = gatefold(surroundings, "export", "awards")
    assert done.code == 0, done.err
    found = [json.loads(line) for line in done.out.splitlines()]
    places = [(one["user_id"], one["badge_key"], one["context"]) for one in found]
    assert places == sorted(rows)
    assert found[0] == {
        "user_id": "B",
        "badge_key": "owner-i",
        "context": "",
        "awarded_at": "2026-01-02T01:04:05.250000Z",
        "source": "auto",
        "revoked_at": None,
        "evidence": {"metric": "releases", "value": 1, "title": "Č"},
    }
    assert found[-1]["revoked_at"] == "2026-02-01T00:00:00Z"
    only = gatefold(surroundings, "export", "awards", "--user", "a.b").out.splitlines()
    assert [json.loads(line)["context"] for line in only] == ["master:10", "master:9"]


async def test_export_state(surroundings: dict[str, str], db: asyncpg.Connection) -> None:
    await db.execute(
        "insert into collector (user_id, joined_on, releases, oldest_year) values ('z', '2020-02-29', 4, 1965)"
    )
    await db.execute("insert into collector (user_id) values ('Z')")
    await db.execute(
        "insert into facet_count values ('z', 'm', 100, 2), ('z', 'm', 20, 3), ('z', 'm', 3, 1), ('z', 'l', 7, 5)"
    )
    done = gatefold(surroundings, "export", "state")
    nothing, something = [json.loads(line) for line in done.out.splitlines()]
    assert nothing == {
        "user_id": "Z",
        "joined_on": None,
        "oldest_year": None,
        **dict.fromkeys(COUNTERS, 0),
        "pressings": {},
    }
    assert (something["joined_on"], something["oldest_year"], something["releases"]) == ("2020-02-29", 1965, 4)
    assert list(something["pressings"].items()) == [("20", 3), ("100", 2)]
    assert gatefold(surroundings, "export", "state", "--user", "nobody").out == ""


async def test_ten_thousand_lines_come_out_whole(surroundings: dict[str, str], db: asyncpg.Connection) -> None:
    await db.execute("insert into collector (user_id) select 'user-' || n from generate_series(1, 10000) as n")
    users = [json.loads(line)["user_id"] for line in gatefold(surroundings, "export", "state").out.splitlines()]
    assert users == sorted(f"user-{n}" for n in range(1, 10_001))


def letter(offset: int, **more: Any) -> Letter:
    fields: dict[str, Any] = {
        "topic": "compare.used",
        "partition": 1,
        "offset": offset,
        "key": b"ann",
        "value": b'{"broken": ',
        "headers": [("ce_id", b"\x00\xff"), ("empty", None)],
        "recorded_at": NOW,
        "stage": "decode",
        "reason": "not JSON: ends too early",
        "seen_at": NOW,
        **more,
    }
    return Letter(**fields)


LETTERS = [
    letter(9),
    letter(10, key=None, value=b"x" * 300_000, stage="oversize"),
    letter(2, topic="user.joined", partition=0, value=None, stage="schema", reason="null value", headers=[]),
]


async def test_dead_letters_are_listed_as_rejections_and_shown_whole(
    surroundings: dict[str, str], db: asyncpg.Connection
) -> None:
    await record_letters(db, LETTERS)
    await record_letters(db, [letter(9, reason="the first one stays")])
    found = [json.loads(line) for line in gatefold(surroundings, "dead-letters", "list", "--json").out.splitlines()]
    assert [(one["topic"], one["partition"], one["offset"]) for one in found] == [
        ("compare.used", 1, 9),
        ("compare.used", 1, 10),
        ("user.joined", 0, 2),
    ]
    assert (found[0]["key"], found[0]["reason"], found[0]["seen_at"]) == (
        "ann",
        LETTERS[0].reason,
        "2026-01-02T03:04:05Z",
    )
    assert base64.b64decode(found[0]["value_base64"]) == LETTERS[0].value
    assert (found[1]["value_truncated"], found[1]["key"]) == (True, None)
    assert len(base64.b64decode(found[1]["value_base64"])) == 256 * 1024
    assert found[2]["value_base64"] is None

    table = gatefold(surroundings, "dead-letters", "list", "--limit", "2")
    assert "3 dead letters, the newest 2" in table.out

    shown = json.loads(gatefold(surroundings, "dead-letters", "show", "compare.used", "1", "10", "--json").out)
    assert len(base64.b64decode(shown["value_base64"])) == 300_000
    assert shown["headers"] == [{"name": "ce_id", "value_base64": "AP8="}, {"name": "empty", "value_base64": None}]
    assert "not JSON: ends too early" in gatefold(surroundings, "dead-letters", "show", "compare.used", "1", "9").out
    assert gatefold(surroundings, "dead-letters", "show", "compare.used", "1", "11").code == 1


async def test_redrive_publishes_each_letter_once_byte_for_byte(
    surroundings: dict[str, str], db: asyncpg.Connection, topic_prefix: str
) -> None:
    await record_letters(db, LETTERS)
    consumer = AIOKafkaConsumer(bootstrap_servers=surroundings["GATEFOLD_KAFKA_URL"].removeprefix("kafka://"))
    await consumer.start()
    try:
        places = [
            TopicPartition(topic_prefix + name, part)
            for name in ("compare.used", "user.joined")
            for part in range(PARTITIONS)
        ]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:
            await consumer.position(place)

        async def new() -> list[ConsumerRecord]:
            ends = await consumer.end_offsets(places)
            found: list[ConsumerRecord] = []
            while any([await consumer.position(place) < ends[place] for place in places]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += batch
            return found

        planned = json.loads(gatefold(surroundings, "dead-letters", "redrive", "--dry-run", "--json").out)
        assert (len(planned["letters"]), planned["published"]) == (3, 0)
        assert await new() == []

        one = gatefold(surroundings, "dead-letters", "redrive", "compare.used", "1", "9", "--yes")
        assert (one.code, one.out) == (0, "1 of 1 published again\n")
        (record,) = await new()
        assert (record.key, record.value) == (LETTERS[0].key, LETTERS[0].value)
        assert record.headers == (*LETTERS[0].headers, ("x-redrive-of", b"compare.used:1:9"))

        assert gatefold(surroundings, "dead-letters", "redrive").out == "2 of 2 published again\n"
        assert sorted(record.value or b"" for record in await new()) == [b"", b"x" * 300_000]
        assert gatefold(surroundings, "dead-letters", "redrive", "--yes").out == "0 of 0 published again\n"
        assert gatefold(surroundings, "dead-letters", "redrive", "user.joined", "--again").out.startswith("1 of 1")
        (record,) = await new()
        assert record.headers == (("x-redrive-of", b"user.joined:0:2"),)
    finally:
        await consumer.stop()
    assert await db.fetchval("select count(*) from dead_letter where redriven_at is not null") == 3
    listed = gatefold(surroundings, "dead-letters", "list", "--json").out.splitlines()
    assert all(json.loads(line)["redriven_at"].endswith("Z") for line in listed)


@pytest.mark.parametrize("subject", ["outbox", "positions", "exports", "dead_letters"])
async def test_every_statement_can_be_prepared(db: asyncpg.Connection, subject: str) -> None:
    for statement in statements(subject).values():
        await db.prepare(statement)


@pytest.mark.parametrize("arguments", [("wait",), ("export", "awards"), ("dead-letters", "redrive")])
def test_an_unreachable_database_is_named(surroundings: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = gatefold({**surroundings, "GATEFOLD_POSTGRES_URL": "postgresql://u:pw@127.0.0.1:1/x"}, *arguments)
    assert done.code == 69
    assert "GATEFOLD_POSTGRES_URL" in done.err
    assert done.err.count("\n") == 1
