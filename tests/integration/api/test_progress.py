"""The next tiers over HTTP, nearest first."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from services.api.models.achievements import ProgressList
from services.api.view import View, icon_path
from services.state.collector import Collector
from services.state.facets import MASTER
from services.stores.standings import Standing
from tests.integration.api.world import CATALOG, PROGRESS
from tests.integration.awards import START, award


async def test_progress(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    today = datetime.now(UTC).date()
    await db.execute(
        "insert into collector (user_id, releases, genres, oldest_year, joined_on) values ($1, 9, 13, $2, null)",
        user,
        today.year - 39,
    )
    for key in ("owner-i", "genre-tourist-bronze", "genre-tourist-silver", "vinyl-archaeologist-bronze"):
        await award(db, user, key)
    answer = await client.get(PROGRESS, headers=headers, params={"limit": 100})
    body = answer.json()
    ProgressList.model_validate(body)
    entries = {entry["id"]: entry for entry in body["in_progress"]}
    assert [entry["id"] for entry in body["in_progress"][:2]] == ["vinyl-archaeologist-silver", "owner-ii"]
    assert entries["owner-ii"] | {"reason": ""} == {
        "id": "owner-ii",
        "name": CATALOG.badges["owner-ii"].name,
        "category": "community",
        "next_tier": "ii",
        "context": "",
        "current": 9,
        "target": 10,
        "remaining": 1,
        "reachable": True,
        "ceiling": None,
        "reason": "",
        "hint": "Add 1 more release",
        "evidence": {"metric": "releases", "value": 9, "target": 10},
        "icon": icon_path(CATALOG.badges["owner-ii"]),
    }
    assert body["in_progress"][-1]["id"] == "genre-tourist-gold"
    assert (entries["genre-tourist-gold"]["reachable"], entries["genre-tourist-gold"]["ceiling"]) == (False, 15)
    assert entries["anniversary-i"]["current"] is None
    short = (await client.get(PROGRESS, headers=headers, params={"limit": 2})).json()
    assert short["in_progress"] == body["in_progress"][:2]


@pytest.mark.parametrize("seed", range(12))
async def test_progress_of_masters_is_that_of_all_masters(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str], seed: int
) -> None:
    """The few masters that the statement chooses give the answer that all of them give."""
    chance = random.Random(seed)
    weights = chance.choice([(1, 1), (30, 1), (1, 0)])
    numbers = {
        master: chance.choices([1, chance.choice([0, 2, 3, 4, 5, 9, 10, 24, 25, 40])], weights)[0]
        for master in chance.sample(range(1, 3000), chance.choice([0, 1, 4, 40, 300]))
    }
    await db.execute("insert into collector (user_id, releases) values ($1, $2)", user, sum(numbers.values()))
    await db.executemany(
        "insert into facet_count values ($1, 'm', $2, $3)", [(user, master, n) for master, n in numbers.items()]
    )
    taken = []
    for master, number in numbers.items():
        for tier, target in (("bronze", 3), ("silver", 5), ("gold", 10), ("platinum", 25)):
            if chance.random() < (0.8 if number >= target else 0.1):
                taken.append((f"master-collector-{tier}", f"master:{master}"))
                revoked = START if chance.random() < 0.3 else None
                await award(db, user, *taken[-1], revoked_at=revoked)
    collector = Collector(user)
    collector.counters["releases"] = sum(numbers.values())
    collector.unbounded.update({(MASTER, master): number for master, number in numbers.items()})
    expected = View(CATALOG).progress(Standing(collector, frozenset(taken)), datetime.now(UTC), 100)
    found = (await client.get(PROGRESS, headers=headers, params={"limit": 100})).json()

    def decisive(entries: list[dict[str, Any]]) -> list[Any]:
        return [(one["id"], one["context"], one["current"], one["target"], one["remaining"]) for one in entries]

    assert decisive(found["in_progress"]) == decisive(expected["in_progress"])


async def test_progress_names_a_master_by_its_award(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    await db.execute("insert into collector (user_id, releases) values ($1, 4)", user)
    await db.execute("insert into facet_count values ($1, 'm', 7, 4)", user)
    evidence = {"metric": "pressings", "value": 3, "target": 3, "master": "Blue Train", "master_id": 7}
    await award(db, user, "master-collector-bronze", "master:7", evidence=evidence)
    entries = (await client.get(PROGRESS, headers=headers)).json()["in_progress"]
    found = next(entry for entry in entries if entry["id"] == "master-collector-silver")
    assert found["evidence"] == {"metric": "pressings", "value": 4, "target": 5, "master": "Blue Train", "master_id": 7}
