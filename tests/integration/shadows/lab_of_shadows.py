"""A past that earns badges of every kind, worked off by catalogs in which some of them are in the shadow."""

from __future__ import annotations

import json
from typing import Any

from catalog.index import Catalog, every_badge, load_catalog
from services.stores.postgres import Connection
from services.worker.work import Knowledge
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log
from tests.model.oracle import Event

# A tier between others, the first of a family that is earned for masters, the highest that is earned, a whole family.
SHADOWS = ("owner-ii", "master-collector-bronze", "genre-tourist-silver", "deep-cut")
PUBLIC = load_catalog()
HIDDEN = Catalog(badge.model_copy(update={"shadow": badge.key in SHADOWS}) for badge in every_badge())


def release(number: int) -> dict[str, Any]:
    """A release of its own genre; every fourth one is a pressing of one master, and few people have it."""
    fourth = number % 4 == 0
    return {
        "id": number,
        "title": f"T{number}",
        "genres": [f"G{number}"],
        "master_id": 7 if fourth else 100 + number,
        "have": 5 if fourth else 500,
    }


def past() -> list[Event]:
    """Ada earns all that is in the shadow, ben lacks one record for each of it."""
    events = [added(f"ada-{n}", (n, release(n)), time=minutes(n)) for n in range(1, 13)]
    near = [n for n in range(1, 12) if n not in (4, 8)]
    events += [added(f"ben-{n}", (n, release(n)), user="ben", time=minutes(n)) for n in near]
    return [*events, event("review.approved", "r", {"review_id": "r"}, time=minutes(30))]


async def worked_off(connection: Connection, catalog: Catalog, events: list[Event] | None = None) -> Log:
    """An empty database, and this past worked off by a worker with this catalog, in small bundles."""
    await lab.clear(connection)
    log = Log()
    for one in past() if events is None else events:
        log.append(one)
    await lab.drain(connection, knowledge(catalog), log, size=5)
    return log


def knowledge(catalog: Catalog) -> Knowledge:
    """What a worker with this catalog knows."""
    return Knowledge(catalog, erasure_key=lab.ERASURE_KEY, owner="worker")


async def told(connection: Connection, topic: str = "badge.awarded") -> dict[tuple[str, str, str], dict[str, Any]]:
    """What is published, by user, badge and context; nothing twice."""
    rows = await connection.fetch("select event_id, time, value from outbox where topic = $1", topic)
    assert len({row["event_id"] for row in rows}) == len(rows)
    found = [json.loads(row["value"]) | {"time": row["time"]} for row in rows]
    named = {(one["user_id"], one.get("badge_key") or one["badge"]["key"], one["context"]): one for one in found}
    assert len(named) == len(found)
    return named


async def kept(connection: Connection) -> set[tuple[str, str, str]]:
    """What is in the shadow."""
    rows = await connection.fetch("select user_id, badge_key, context from award where shadow")
    return {(row["user_id"], row["badge_key"], row["context"]) for row in rows}
