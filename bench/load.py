"""What the benches send: real release facts, random users, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import msgspec

from contracts.envelope import encode_binary

TOPIC: Final = "ownership.added"
SOURCE: Final = "gatefold-bench"
BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
# A pool of 2,000 releases is too small for a collection of 10,000: later rounds of it bear other ids.
ROUND: Final = 1_000_000_000
NEW_COPIES: Final = 10_000_000  # instance ids below are those of the population
RECORDED_MS: Final = int((BEGIN + timedelta(days=365)).timestamp() * 1000)


@dataclass(slots=True)
class Sample:
    """A record as Kafka would deliver it; `items` says how many copies it adds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    items: int


@cache
def releases() -> tuple[Mapping[str, Any], ...]:
    """The committed facts of about 2,000 releases (deploy/demo, CC0)."""
    from services.demo import data

    return (*data.composed_releases(), *data.copies_facts().values())


@cache
def _encoded() -> tuple[tuple[int, bytes], ...]:
    """Id of each release, and the JSON of its facts behind the id."""
    found = []
    for release in releases():
        rest = {name: value for name, value in release.items() if name != "id"}
        found.append((int(release["id"]), msgspec.json.encode(rest)[1:]))
    return tuple(found)


def release_at(number: int) -> bytes:
    """JSON of the release of this number; there is no last one: the pool repeats under other ids."""
    turn, place = divmod(number, len(_encoded()))
    id_, rest = _encoded()[place]
    return b'{"id":%d,%b' % (id_ + turn * ROUND, rest)


def event(offset: int, user: str, items: Iterable[tuple[int, int]], *, name: str) -> Sample:
    """One `ownership.added` called `name`; `items` are pairs of instance id and number of a release."""
    encoded = [b'{"instance_id":%d,"release":%b}' % (instance, release_at(number)) for instance, number in items]
    headers, value = encode_binary(
        type=TOPIC,
        id=name,
        source=SOURCE,
        subject=user,
        time=BEGIN + timedelta(seconds=offset),
        data=b'{"items":[%b]}' % b",".join(encoded),
    )
    return Sample(offset, RECORDED_MS, user.encode(), value, headers, len(encoded))


def random_events(count: int, users: Sequence[str], items: int, *, seed: int = 1) -> list[Sample]:
    """`count` events of random users, each with `items` new copies of random releases, all different in one event."""
    choice = random.Random(seed)
    pool = range(len(_encoded()))
    found = []
    for offset in range(count):
        first = NEW_COPIES + offset * items
        numbers = choice.sample(pool, items)
        found.append(event(offset, choice.choice(users), enumerate(numbers, first), name=f"bench-{offset}"))
    return found
