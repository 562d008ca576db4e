"""Events as the tests send them, and loads of them whose outcome does not depend on which topic is read first."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.envelope import rfc3339
from tests.model import measures, pools
from tests.model.oracle import Event

BEGIN = datetime(2024, 3, 1, 12, tzinfo=UTC)
EVERY_FIELD = frozenset(measures.FIELDS)
# Every poison of the tests contains this word, or is null: so the log itself tells what is to become a dead letter.
MARK = "POISON"


@dataclass(frozen=True)
class Message:
    """A record as it is sent; `topic` is the unprefixed name, `partition` None leaves the choice to the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


def event(
    kind: str, user: str, name: str, data: Any = None, *, time: datetime = BEGIN, source: str = "/tests"
) -> Event:
    """An event; `name` is its id."""
    return {"id": name, "source": source, "type": kind, "subject": user, "time": time, "data": data or {}}


def added(user: str, name: str, items: list[dict[str, Any]], *, time: datetime = BEGIN) -> Event:
    """`ownership.added` of these items."""
    return event("ownership.added", user, name, {"items": items}, time=time)


def copy(instance: int, release: int, **facts: Any) -> dict[str, Any]:
    """One item of `ownership.added`."""
    return {"instance_id": instance, "release": {"id": release, **facts}}


def at(seconds: float) -> datetime:
    """A moment after BEGIN."""
    return BEGIN + timedelta(seconds=seconds)


def structured(one: Event) -> bytes:
    """The event as a line of JSON."""
    return json.dumps({"specversion": "1.0", **one, "time": rfc3339(one["time"])}).encode()


def message(one: Event, *, binary: bool = False, partition: int | None = None) -> Message:
    """The event as a record."""
    key = one["subject"].encode()
    if not binary:
        headers: tuple[tuple[str, bytes], ...] = (("content-type", b"application/cloudevents+json"),)
        return Message(one["type"], key, structured(one), headers, partition)
    attributes = {name: one[name] for name in ("id", "source", "type", "subject")}
    attributes |= {"specversion": "1.0", "time": rfc3339(one["time"])}
    headers = tuple((f"ce_{name}", text.encode()) for name, text in attributes.items())
    return Message(one["type"], key, json.dumps(one["data"]).encode(), headers, partition)


def parsed(topic: str, value: bytes | None, headers: dict[str, bytes]) -> Event | None:
    """The event of a record, None of a poison."""
    if value is None or MARK.encode() in value:
        return None
    if "ce_id" in headers:
        attributes = {name: headers[f"ce_{name}"].decode() for name in ("id", "source", "subject", "time")}
        data = json.loads(value)
    else:
        attributes = json.loads(value)
        data = attributes.get("data", {})
    return event(
        topic,
        attributes["subject"],
        attributes["id"],
        data,
        time=datetime.fromisoformat(attributes["time"]),
        source=attributes["source"],
    )


def load(seed: int, count: int, *, users: int = 40, name: str = "u", start: int = 0) -> Iterator[Message]:
    """A mixed stream: pages and single items, all kinds of activity, late removals, some duplicates, some poison.

    Shape:   times rise, and removals are older than the copies they name: awards depend on one topic each, so they are
             the same in whatever order the topics are read.
    """
    choose = random.Random(seed)
    sent: list[Message] = []
    for number in range(start, start + count):
        user = f"{name}-{choose.randrange(users)}"
        luck = choose.random()
        if sent and luck < 0.02:
            one = choose.choice(sent)
        elif luck < 0.04:
            one = _poison(choose, user, number)
        else:
            one = message(_step(choose, user, number), binary=choose.random() < 0.5)
        sent.append(one)
        yield one


def _step(choose: random.Random, user: str, number: int) -> Event:
    time, name = at(60 * number), f"step-{number}"
    match choose.choice(
        ("page", "page", "item", "item", "removed", "wish", "review", "edit", "compare", "synced", "join")
    ):
        case "page":
            return added(user, name, [_item(choose) for _ in range(choose.randint(2, 8))], time=time)
        case "item":
            return added(user, name, [_item(choose)], time=time)
        case "removed":
            items = [{"instance_id": choose.randrange(1, 200)}]
            return event("ownership.removed", user, name, {"items": items}, time=at(-60 * number))
        case "wish":
            wishes = [choose.randrange(1, 90) for _ in range(choose.randint(1, 4))]
            return event("wishlist.added", user, name, {"release_ids": wishes}, time=time)
        case "synced":
            return event("collection.synced", user, name, {"sync_id": name, "items_total": number}, time=time)
        case "join":
            return event("user.joined", user, name, {"joined_at": choose.choice(pools.DAYS)}, time=time)
        case kind:
            topic = {"review": "review.approved", "edit": "edit.approved", "compare": "compare.used"}[kind]
            return event(topic, user, name, {f"{kind}_id": str(choose.randrange(30))}, time=time)


def _item(choose: random.Random) -> dict[str, Any]:
    release = choose.randrange(1, 60)
    return {
        "instance_id": choose.randrange(1, 200),
        "release": pools.described(release, choose.randrange(3), EVERY_FIELD),
    }


def _poison(choose: random.Random, user: str, number: int) -> Message:
    topic = choose.choice(("ownership.added", "review.approved", "wishlist.added"))
    wrong = message(event(topic, user, f"{MARK}-{number}", {"items": [], "release_ids": [MARK]}))
    return choose.choice(
        (
            wrong,
            Message(topic, user.encode(), b'{"' + MARK.encode()),
            Message(topic, user.encode(), None),
            Message(topic, None, wrong.value, wrong.headers),
        )
    )
