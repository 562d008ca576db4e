"""`gatefold emit`: in order, checked on the very bytes, and a bad line stops nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.topics import INPUT_TOPICS
from tests.integration.commands import gatefold


@pytest.fixture(scope="module")
def surroundings(kafka_url: str, topic_prefix: str) -> dict[str, str]:
    found = {
        "GATEFOLD_KAFKA_URL": kafka_url,
        "GATEFOLD_TOPIC_PREFIX": topic_prefix,
        "GATEFOLD_TOPIC_PARTITIONS": "2",
    }
    assert gatefold(found, "topics").code == 0
    return found


class Log:
    """Reads what came into the topics since it was last asked."""

    def __init__(self, consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._places = places

    async def new(self) -> list[ConsumerRecord]:
        ends = await self._consumer.end_offsets(self._places)
        found: list[ConsumerRecord] = []
        while any([await self._consumer.position(place) < ends[place] for place in self._places]):
            for batch in (await self._consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def log(surroundings: dict[str, str], topic_prefix: str) -> AsyncIterator[Log]:
    consumer = AIOKafkaConsumer(bootstrap_servers=surroundings["GATEFOLD_KAFKA_URL"].removeprefix("kafka://"))
    await consumer.start()
    places = [TopicPartition(topic_prefix + name, part) for name in INPUT_TOPICS for part in range(2)]
    consumer.assign(places)
    await consumer.seek_to_end(*places)
    for place in places:
        await consumer.position(place)
    yield Log(consumer, places)
    await consumer.stop()


def event(name: str, subject: str = "ann", **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "test",
        "type": "review.approved",
        "subject": subject,
        "time": "2026-01-02T03:04:05Z",
        "data": {"review_id": name},
        **more,
    }


def lines(*events: object) -> bytes:
    return b"".join(one + b"\n" if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in events)


async def test_publishes_the_bytes_in_the_order_of_the_file(
    surroundings: dict[str, str], log: Log, tmp_path: Path
) -> None:
    written = [json.dumps(event(f"{n:04d}", f"user-{n % 9}"), indent=None).encode() for n in range(5000)]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\r\n".join(written))
    done = gatefold(surroundings, "emit", str(file), "--json")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    assert (summary["published"], summary["bad"], summary["topics"]) == (5000, 0, {"review.approved": 5000})
    found = await log.new()
    assert sorted(record.value for record in found) == sorted(written)
    assert {record.headers for record in found} == {(("content-type", b"application/cloudevents+json"),)}
    for user in range(9):
        key = f"user-{user}".encode()
        assert [record.value for record in found if record.key == key] == written[user::9]


async def test_bad_lines_are_named_and_stop_nothing(surroundings: dict[str, str], log: Log) -> None:
    stream = lines(
        event("first"),
        b"",
        b"{not json",
        event("other", type="no.such"),
        event("untyped", type=None),
        event("bad-user", "a b"),
        event("bad-data", data={"review_id": 7}),
        event("large", data={"review_id": "r", "more": "x" * 1_000_000}),
        b"[1]",
        event("output", type="badge.awarded"),
        event("last"),
    )
    done = gatefold(surroundings, "emit", "-", stdin=stream)
    assert done.code == 1
    said = {int(line.split(":")[1]): line for line in done.err.splitlines() if line.startswith("stdin:")}
    assert sorted(said) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "not JSON" in said[3]
    assert "no.such" in said[4]
    assert "type: missing" in said[5]
    assert "subject" in said[6]
    assert "data.review_id: expected str, got int" in said[7]
    assert "oversize" in said[8]
    assert "published 2 (review.approved 2), bad 8" in done.out
    assert [json.loads(record.value)["id"] for record in await log.new()] == ["first", "last"]


async def test_without_validation_the_bytes_go_as_they_are(
    surroundings: dict[str, str], log: Log, topic_prefix: str
) -> None:
    deep = b'{"type":"user.joined","subject":"deep","data":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    good = [
        b'{"type":"user.joined","subject":"a","data":NaN}',
        b'{"type":"user.joined","subject":7}',
        b'{"type":"user.joined","subject":"\xff"}',
        deep,
        b' {"type":"user.joined" , "subject":"sp aced"} ',
    ]
    huge = json.dumps(event("huge", data={"x": "x" * 5_000_000})).encode()
    stream = lines(
        *good, b"nonsense", b'"text"', event("x", type="no.such"), b'{"type":"user.joined"', huge, event("z")
    )
    done = gatefold(surroundings, "emit", "-", "--no-validate", "--json", stdin=stream)
    assert done.code == 1
    assert json.loads(done.out)["topics"] == {"review.approved": 1, "user.joined": 5}
    said = sorted(int(line.split(":")[1]) for line in done.err.splitlines() if line.startswith("stdin:"))
    assert said == [6, 7, 8, 9, 10]
    found = await log.new()
    joined = {record.value: record.key for record in found if record.topic == topic_prefix + "user.joined"}
    assert joined == dict(zip(good, [b"a", None, b"\xff", b"deep", b"sp aced"], strict=True))


async def test_the_rate_is_kept(surroundings: dict[str, str], log: Log) -> None:
    stream = lines(*(event(str(n)) for n in range(60)))
    done = gatefold(surroundings, "emit", "-", "--rate", "60", "--json", stdin=stream)
    assert 0.8 <= json.loads(done.out)["seconds"] <= 3
    assert len(await log.new()) == 60


def test_nothing_to_publish_is_no_fault(surroundings: dict[str, str]) -> None:
    done = gatefold(surroundings, "emit", "-", "--json")
    assert (done.code, json.loads(done.out)["published"]) == (0, 0)


def test_an_unknown_file_is_wrong_usage(surroundings: dict[str, str]) -> None:
    done = gatefold(surroundings, "emit", "/no/such/file.jsonl")
    assert (done.code, done.err) == (2, "/no/such/file.jsonl: No such file or directory\n")


def test_undeclared_topics_are_said_to_be_missing(surroundings: dict[str, str]) -> None:
    done = gatefold({**surroundings, "GATEFOLD_TOPIC_PREFIX": "nobodys."}, "emit", "-", stdin=lines(event("x")))
    assert done.code == 1
    assert "nobodys.review.approved does not exist: run `gatefold topics`" in done.err


def test_an_unreachable_broker_is_named(surroundings: dict[str, str]) -> None:
    done = gatefold({**surroundings, "GATEFOLD_KAFKA_URL": "kafka://127.0.0.1:1"}, "emit", "-", stdin=lines(event("x")))
    assert done.code == 69
    assert "GATEFOLD_KAFKA_URL" in done.err
