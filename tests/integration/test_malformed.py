"""300 malformed records among good ones: each a dead letter that says why, their neighbours untouched."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.envelope import decode
from contracts.events.rejection import EventRejected
from contracts.generate import EXAMPLES, load
from contracts.topics import INPUT_TOPICS
from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import history
from tests.model.lab import Entry, Log, Record

NAMES = ("specversion", "id", "source", "type", "subject", "time")
RECORDED_MS = int(lab.RECORDED.timestamp() * 1000)


@dataclass(frozen=True)
class Bad:
    """A malformed record, the stage at which it must end, and how the reason begins."""

    topic: str
    record: Record
    stage: str
    reason: str


def made(topic: str, event: dict[str, Any], *, structured: bool = False, value: bytes | None = None) -> Record:
    """An example as a record, in either content mode; `value` replaces its bytes."""
    key = str(event.get("subject", "collector-42")).encode()
    if structured:
        body = json.dumps(event).encode() if value is None else value
        return Record(0, RECORDED_MS, key, body, [("content-type", b"application/cloudevents+json; charset=utf-8")])
    headers = [(f"ce_{name}", str(event[name]).encode()) for name in NAMES if name in event]
    return Record(0, RECORDED_MS, key, json.dumps(event.get("data")).encode() if value is None else value, headers)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, element in inside:
        yield (*path, name)
        yield from places(element, (*path, name))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with one place changed."""
    document = copy.deepcopy(document)
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return document


def named(path: tuple[Any, ...]) -> str:
    """A path as reasons write it."""
    return "data" + "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path)


def malformed(topic: str, event: dict[str, Any]) -> Iterator[Bad]:
    """Every mutation of one topic's example."""
    whole = json.dumps(event["data"]).encode()
    for structured in (False, True):

        def bad(stage: str, reason: str, structured: bool = structured, **changes: Any) -> Bad:
            kept = {name: value for name, value in {**event, **changes}.items() if value != "missing"}
            return Bad(topic, made(topic, kept, structured=structured), stage, reason)

        for path in places(event["data"]):
            yield bad("schema", named(path), data=changed(event["data"], path, [True]))
            if isinstance(path[-1], int) or path[-1] in ("id", "instance_id"):
                yield bad("schema", named(path), data=changed(event["data"], path, -1))
        for name in event["data"]:
            yield bad("schema", f"data.{name}: missing", data={n: v for n, v in event["data"].items() if n != name})
        yield bad("schema", "data: expected object", data=[1])
        for name in NAMES:
            yield bad("envelope", f"{name}: missing", **{name: "missing"})
        yield bad("envelope", "specversion: ", specversion="0.3")
        yield bad("envelope", "type: ", type="ownership.stolen")
        yield bad("envelope", "id: ", id="")
        yield bad("envelope", "source: ", source="s" * 4001)
        yield bad("envelope", "subject: ", subject="not a user id")
        yield bad("envelope", "time: ", time="2026-02-30T00:00:00Z")
        yield bad("envelope", "time: ", time="2026-02-03T00:00:00")
        yield bad("envelope", "time: more than 24 h", time="2028-12-02T00:00:00.001Z")
        yield replace(bad("envelope", "key: "), record=replace(made(topic, event, structured=structured), key=b"other"))
        yield replace(bad("envelope", "key: "), record=replace(made(topic, event, structured=structured), key=None))
    for value, stage, reason in (
        (None, "schema", "null value"),
        (b"", "decode", "not JSON"),
        (whole[:-1], "decode", "not JSON"),
        (whole + b"}", "decode", "not JSON"),
        (b'{"n": NaN, ' + whole[1:], "decode", "not JSON"),
        (b'{"n": -Infinity, ' + whole[1:], "decode", "not JSON"),
        (b'{"n": "\xc3", ' + whole[1:], "decode", "not UTF-8"),
        (b'{"n": ' + b"[" * 33 + b"]" * 33 + b", " + whole[1:], "decode", "nesting beyond 32"),
        (b'{"n": "' + b"x" * 1_000_000 + b'", ' + whole[1:], "oversize", "value has "),
    ):
        record = replace(made(topic, event), value=value)
        yield Bad(topic, record, stage, reason)


def meaningful(bad: Bad) -> bool:
    """Some mutations of some examples are no fault: nothing is required, or -1 and a user id are allowed there."""
    release = bad.topic == "release.described"
    free = bad.reason.startswith("data.") and ": missing" in bad.reason and release and "data.id" not in bad.reason
    return not free


async def process(connection: Connection, log: Log) -> tuple[Any, Any]:
    """State and awards of a log; partition after partition, in an order that bad records do not change."""
    await lab.clear(connection)
    await lab.drain(connection, lab.knowledge(), log, 50)
    return await lab.state_of(connection), await lab.awards_of(connection)


async def test_good_neighbours_of_malformed_records(connection: Connection) -> None:
    dice = random.Random(300)
    examples = {topic: example for topic, example in load(EXAMPLES).items() if topic in INPUT_TOPICS}
    for example in examples.values():  # the users of the good records, so that bad ones could do harm
        if example["subject"] == "collector-42":
            example["subject"] = "ada"
    every = [bad for topic, example in examples.items() for bad in malformed(topic, example) if meaningful(bad)]
    # Bytes without an end are costly to store: one of them is enough.
    large = [bad for bad in every if bad.stage == "oversize"]
    chosen = [*dice.sample([bad for bad in every if bad.stage != "oversize"], 299), large[0]]
    dice.shuffle(chosen)
    good, mixed = Log(), Log()
    for log in (good, mixed):
        log.partitions.update({(topic, partition): [] for topic in INPUT_TOPICS for partition in (0, 1)})
    wanted = {}
    for number, (neighbour, bad) in enumerate(zip(history(3, 300), chosen, strict=True)):
        good.append(neighbour, number % 2)
        mixed.append(neighbour, number % 2)
        entries = mixed.partitions[bad.topic, number % 2]
        wanted[bad.topic, number % 2, len(entries)] = bad
        entries.append(Entry(replace(bad.record, offset=len(entries)), None))

    assert await process(connection, good) == await process(connection, mixed)

    rows = await connection.fetch("select * from dead_letter")
    found = {(row["topic"], row["partition"], row["offset"]): row for row in rows}
    assert found.keys() == wanted.keys()
    assert len(found) == 300
    for place, bad in wanted.items():
        row = found[place]
        assert (row["stage"], row["reason"][: len(bad.reason)]) == (bad.stage, bad.reason), (place, row["reason"])
        assert (row["key"], row["value"]) == (bad.record.key, bad.record.value)
    dead = await connection.fetchval("select sum(dead) from offset_ledger")
    assert dead == 300
    told = await connection.fetch("select subject, value from outbox where topic = 'event.rejected'")
    for row in told:
        said = EventRejected.model_validate_json(row["value"])
        assert wanted[said.topic, said.partition, said.offset].stage == said.stage
        assert row["subject"] == f"{said.topic}:{said.partition}:{said.offset}"
        assert len(row["value"]) < 1_000_000
    assert len(told) == 300


def test_the_examples_themselves_are_good() -> None:
    for topic in INPUT_TOPICS:
        example = load(EXAMPLES)[topic]
        for structured in (False, True):
            record = made(topic, example, structured=structured)
            event = decode(topic, record.key, record.value, record.headers, record.timestamp)
            assert event.time == datetime.fromisoformat(example["time"])
