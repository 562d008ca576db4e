"""Records that cannot be accepted, among good ones: each a dead letter with its reason, its neighbours untouched."""

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

from tests.e2e.events import MARK, Message, at, event, message, structured
from tests.e2e.world import World

USER = "poisoned"
TOPIC = "review.approved"
KEY = USER.encode()


def poisons() -> list[tuple[Message, str, str]]:
    """Records of one partition, each wrong in its own way, with stage and reason."""
    good = event(TOPIC, USER, MARK, {"review_id": MARK})
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    line = message(good)
    nul = structured({**good, "data": {"review_id": f"{MARK}\x00"}})
    deep = structured(good)[:-1] + b', "deep": ' + b"[" * 40 + b"]" * 40 + b"}"
    oversize = structured(good)[:-1] + b', "pad": "'
    oversize += b"x" * (1_000_001 - len(oversize) - 2) + b'"}'
    no_text = "NUL and lone surrogates are not allowed in text"

    def with_value(value: bytes | None) -> Message:
        return Message(TOPIC, KEY, value, line.headers, None)

    return [
        (with_value(structured(good)[:-5]), "decode", "not JSON: ends too early"),
        (with_value(None), "schema", "null value"),
        (with_value(nul), "schema", f"data.review_id: {no_text}"),
        (with_value(deep), "decode", "nesting beyond 32"),
        (with_value(oversize), "oversize", "value has 1000001 bytes, at most 1000000 are allowed"),
        (with_value(structured({**good, "data": {"review_id": 5}})), "schema", "data.review_id: expected str, got int"),
        (with_value(structured({**good, "data": {}})), "schema", "data.review_id: missing"),
        (
            with_value(structured(good).replace(b'"' + MARK.encode(), b'"\\ud800' + MARK.encode(), 2)),
            "envelope",
            f"id: {no_text}",
        ),
        (with_value(structured(good)[:-1] + b', "n": NaN}'), "decode", "not JSON: NaN"),
        (
            with_value(structured({**good, "subject": "someone-else"})),
            "envelope",
            "key: 'poisoned' is not the subject 'someone-else'",
        ),
        (
            with_value(structured({**good, "type": "edit.approved"})),
            "envelope",
            "type: 'edit.approved' is not the topic 'review.approved'",
        ),
        (
            with_value(structured({**good, "time": tomorrow})),
            "envelope",
            "time: more than 24 h after the record's timestamp",
        ),
        (Message(TOPIC, KEY, b'{"review_id": "POISON"}'), "envelope", "specversion: missing"),
    ]


async def test_every_kind_of_poison_among_good_neighbours(world: World) -> None:
    before = await world.status()
    chain, expected = [], []
    for number, (poison, stage, reason) in enumerate(poisons()):
        chain.append(
            message(event(TOPIC, USER, f"good-{number}", {"review_id": str(number)}, time=at(number)), binary=True)
        )
        chain.append(poison)
        expected.append((stage, reason))
    places = await world.send(chain)
    status = await world.drained()
    letters = await world.letters()
    found = [letters.get(place) for place in places[1::2]]
    # Where in the record a parser gave up is said as well; the rest of each reason is exact.
    assert [(stage, reason.split(" (byte ")[0]) for stage, reason in filter(None, found)] == expected
    assert not letters.keys() & set(places[::2])
    good = len(expected)
    assert (await world.state())[USER]["reviews"] == good
    assert sum(one.dead for one in status.partitions) - sum(one.dead for one in before.partitions) == good
    assert sum(one.processed for one in status.partitions) - sum(one.processed for one in before.partitions) == good
    awards = await world.awards(USER)
    assert awards[USER, "reviewer-ii", ""]["awarded_at"] == f"{at(4):%Y-%m-%dT%H:%M:%SZ}"

    listed = [
        json.loads(line)
        for line in (await asyncio.to_thread(world.run, "dead-letters", "list", "--json")).out.splitlines()
    ]
    mine = {(one["topic"], one["partition"], one["offset"]): one for one in listed if one["key"] == USER}
    assert mine.keys() == set(places[1::2])
    published = {
        (data["topic"], data["partition"], data["offset"]): data
        for data in (json.loads(record.value) for record in await world.published("event.rejected"))
    }
    for place, poison in zip(places[1::2], chain[1::2], strict=True):
        assert mine[place] == published[place]
        if poison.value is None:
            assert mine[place]["value_base64"] is None
            continue
        assert base64.b64decode(mine[place]["value_base64"]) == poison.value[: 256 * 1024]
        assert mine[place]["value_truncated"] is (len(poison.value) > 256 * 1024)
        assert mine[place]["value_sha256"] == hashlib.sha256(poison.value).hexdigest()
    whole = await world.query(
        'select value from dead_letter where topic = $1 and partition = $2 and "offset" = $3', *places[9]
    )
    assert whole == chain[9].value


async def test_a_record_whose_cause_is_gone_is_sent_again(world: World) -> None:
    """A letter refused for a fault of ours that has been repaired counts once it is sent again, and only once."""
    user = "redriven"
    one = event("wishlist.added", user, "again", {"release_ids": [1, 2]}, time=at(1))
    # As an older build, which could not read it, would have left it: accounted for as dead, its identity unused.
    (place,) = await world.send([Message("wishlist.added", user.encode(), b'{"' + MARK.encode())])
    await world.drained()
    async with world.database() as connection:
        await connection.execute(
            'update dead_letter set value = $4, headers = $5 where topic = $1 and partition = $2 and "offset" = $3',
            *place,
            structured(one),
            json.dumps([["content-type", base64.b64encode(b"application/cloudevents+json").decode()]]),
        )
    arguments = ("dead-letters", "redrive", *map(str, place), "--yes")
    assert (await asyncio.to_thread(world.run, *arguments)).out == "1 of 1 published again\n"
    await world.drained()
    assert (await world.state())[user]["wishlist"] == 2
    assert (await asyncio.to_thread(world.run, *arguments)).out == "0 of 0 published again\n"
    before = await world.status()
    assert (await asyncio.to_thread(world.run, *arguments, "--again")).code == 0
    status = await world.drained()
    assert sum(one.duplicate for one in status.partitions) - sum(one.duplicate for one in before.partitions) == 1
    assert (await world.state())[user]["wishlist"] == 2
