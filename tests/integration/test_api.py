"""The endpoints on a real PostgreSQL: shapes, order, paging, caching, problems."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from catalog.index import load_catalog
from contracts.times import rfc3339
from services.api.app import create_app
from services.api.models import (
    AchievementDetail,
    AchievementList,
    ProblemBody,
    ProgressList,
    Summary,
)
from services.api.problems import KINDS
from services.api.tokens import mint
from services.api.view import View, icon_path
from services.settings import Settings
from services.state.collector import Collector
from services.state.facets import MASTER
from services.stores.achievements import Standing

LIST = "/api/user/achievements"
PROGRESS = f"{LIST}/progress"
SUMMARY = f"{LIST}/summary"
SECRET = "a-secret-of-the-tests-and-of-nobody-else"
START = datetime(2024, 5, 1, 10, tzinfo=UTC)
CATALOG = load_catalog()


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return Settings(postgres_url=database, jwt_secret=SECRET)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    made = create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gatefold") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    """A user of the test's own."""
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def headers(settings: Settings, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(settings, user)}"}


async def award(
    db: asyncpg.Connection[asyncpg.Record], user: str, key: str, context: str = "", at: datetime = START, **more: Any
) -> None:
    row = {
        "user_id": user,
        "badge_key": key,
        "context": context,
        "award_id": uuid4(),
        "awarded_at": at,
        "source": "auto",
        "trigger": "ownership.added",
        "caused_by": "{}",
        "batch_id": uuid4(),
        "evidence": json.dumps({"value": 1}),
    } | more
    columns = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await db.execute(f"insert into user_badges ({columns}) values ({places})", *row.values())  # noqa: S608


async def holders(db: asyncpg.Connection[asyncpg.Record], **counts: int) -> None:
    """Set the counts; `everybody` stands for the number of collectors."""
    await db.execute("delete from badge_holders")
    rows = [("" if key == "everybody" else key.replace("_", "-"), number, START) for key, number in counts.items()]
    await db.executemany("insert into badge_holders values ($1, $2, $3)", rows)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    ProblemBody.model_validate(body)
    assert body["status"] == status
    assert body["type"] in {kind.type for kind in KINDS}
    assert body["detail"]
    return body


async def test_nothing_earned(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    empty = {"total_earned": 0, "by_category": {}, "rarest": None}
    assert (await client.get(LIST, headers=headers)).json() == {"achievements": [], "stats": empty, "next_cursor": None}
    assert (await client.get(SUMMARY, headers=headers)).json() == {**empty, "most_recent": None}
    assert (await client.get(PROGRESS, headers=headers)).json() == {"in_progress": []}


async def test_list(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    await holders(db, everybody=8, genre_tourist_silver=2, owner_i=5)
    evidence = {"metric": "genres", "value": 10, "target": 10, "earned_with": {"release_id": 1, "title": "Ænima “2”"}}
    await award(db, user, "genre-tourist-silver", evidence=json.dumps(evidence), at=START + timedelta(microseconds=5))
    await award(db, user, "owner-i", source="backfill")
    await award(db, user, "master-collector-gold", "master:7")
    await award(db, user, "deep-cut", revoked_at=START)
    await award(db, f"{user}x", "reviewer-i")
    answer = await client.get(LIST, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    AchievementList.model_validate(body)
    assert [(one["id"], one["context"]) for one in body["achievements"]] == [
        ("master-collector-gold", "master:7"),
        ("genre-tourist-silver", ""),
        ("owner-i", ""),
    ]
    silver = body["achievements"][1]
    assert silver == {
        "id": "genre-tourist-silver",
        "category": "breadth",
        "name": CATALOG.badges["genre-tourist-silver"].name,
        "tier": "silver",
        "description": CATALOG.badges["genre-tourist-silver"].description,
        "unlocked_at": "2024-05-01T10:00:00.000005Z",
        "evidence": evidence,
        "context": "",
        "rarity": {"holders": 2, "share": 0.25},
        "hidden_until_earned": False,
        "icon": icon_path(CATALOG.badges["genre-tourist-silver"]),
        "source": "auto",
    }
    assert body["achievements"][2]["source"] == "backfill"
    assert body["achievements"][0]["rarity"] == {"holders": None, "share": None}
    assert body["stats"] == {
        "total_earned": 3,
        "by_category": {"breadth": 1, "community": 1, "completionist": 1},
        "rarest": silver,
    }
    assert body["next_cursor"] is None


async def test_order_and_paging(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    """Many ties in score and time: every award once, in the contract's order, whatever the page size."""
    await holders(db, everybody=9, owner_i=4)
    chance = random.Random(7)
    keys = [*CATALOG.badges, "a-badge-of-the-past"]
    rows: dict[tuple[str, str], tuple[int, datetime]] = {}
    for _ in range(260):
        key, context = chance.choice(keys), chance.choice(["", "master:1", "master:10", "master:9", "label:2"])
        override = chance.choice([None, None, None, 200, 0, -3])
        at = START + timedelta(seconds=chance.randrange(4))
        if (key, context) not in rows:
            badge = CATALOG.badges.get(key)
            rows[key, context] = (override if override is not None else badge.sort_score if badge else 0, at)
            await award(db, user, key, context, at, sort_override=override)
    expected = sorted(rows, key=lambda row: (-rows[row][0], START - rows[row][1], *row))
    whole = (await client.get(LIST, headers=headers, params={"limit": 500})).json()
    assert [(one["id"], one["context"]) for one in whole["achievements"]] == expected
    assert whole["next_cursor"] is None
    assert whole["stats"]["total_earned"] == len(expected)
    for limit in (1, 7, len(expected) - 1, len(expected)):
        pages, cursor = [], None
        while True:
            params: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            body = (await client.get(LIST, headers=headers, params=params)).json()
            assert body["stats"] == whole["stats"]
            pages.append(body["achievements"])
            if (cursor := body["next_cursor"]) is None:
                break
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert [one for page in pages for one in page] == whole["achievements"]
    default = (await client.get(LIST, headers=headers)).json()
    assert len(default["achievements"]) == min(200, len(expected))


async def test_summary(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    await holders(db, everybody=100, owner_i=50, deep_cut=3, mono_enthusiast=3)
    await award(db, user, "owner-i", at=START + timedelta(days=9))
    await award(db, user, "deep-cut")
    await award(db, user, "mono-enthusiast", at=START + timedelta(seconds=1))
    await award(db, user, "reviewer-i", at=START + timedelta(days=10), revoked_at=START)
    body = (await client.get(SUMMARY, headers=headers)).json()
    Summary.model_validate(body)
    listed = (await client.get(LIST, headers=headers)).json()
    assert body["total_earned"] == 3
    assert body["by_category"] == {"community": 1, "special": 2}
    assert body["most_recent"]["id"] == "owner-i"
    assert body["rarest"]["id"] == "mono-enthusiast"
    assert body["rarest"] == listed["stats"]["rarest"] == listed["achievements"][0]
    assert body["most_recent"] in listed["achievements"]


async def test_detail_earned_for_several_contexts(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    await holders(db, everybody=10, master_collector_bronze=5)
    for day, master in enumerate((5, 50, 6)):
        await award(db, user, "master-collector-bronze", f"master:{master}", START + timedelta(days=day))
    await award(db, user, "master-collector-silver", "master:50", START + timedelta(days=7))
    await award(db, user, "master-collector-gold", "master:50", revoked_at=START)
    body = (await client.get(f"{LIST}/master-collector-bronze", headers=headers)).json()
    AchievementDetail.model_validate(body)
    listed = (await client.get(LIST, headers=headers)).json()["achievements"]
    element = next(one for one in listed if one["id"] == "master-collector-bronze")
    assert {name: body[name] for name in element} == element
    assert body["earned"] is True
    assert [one["context"] for one in body["awards"]] == ["master:6", "master:50", "master:5"]
    assert body["awards"][0] == {
        "context": "master:6",
        "unlocked_at": "2024-05-03T10:00:00Z",
        "source": "auto",
        "evidence": {"value": 1},
        "today": None,
    }
    assert body["ladder"] == [
        {"id": "master-collector-bronze", "tier": "bronze", "target": 3, "earned": True, "unlocked_at": rfc3339(START)},
        {
            "id": "master-collector-silver",
            "tier": "silver",
            "target": 5,
            "earned": True,
            "unlocked_at": "2024-05-08T10:00:00Z",
        },
        {"id": "master-collector-gold", "tier": "gold", "target": 10, "earned": False, "unlocked_at": None},
        {"id": "master-collector-platinum", "tier": "platinum", "target": 25, "earned": False, "unlocked_at": None},
    ]
    first = (await client.get(f"{LIST}/master-collector-bronze", headers=headers, params={"limit": 2})).json()
    assert [one["context"] for one in first["awards"]] == ["master:6", "master:50"]
    params = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await client.get(f"{LIST}/master-collector-bronze", headers=headers, params=params)).json()
    assert [one["context"] for one in second["awards"]] == ["master:5"]
    assert second["next_cursor"] is None
    assert second["context"] == "master:6"


async def test_detail_not_earned(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], headers: dict[str, str]
) -> None:
    await holders(db, everybody=10, genre_tourist_gold=1)
    body = (await client.get(f"{LIST}/genre-tourist-gold", headers=headers)).json()
    AchievementDetail.model_validate(body)
    assert (body["earned"], body["unlocked_at"], body["awards"]) == (False, None, [])
    assert body["rarity"] == {"holders": 1, "share": 0.1}
    assert [rung["earned"] for rung in body["ladder"]] == [False] * 4


@pytest.mark.parametrize(
    "key", ["no-such-badge", "genre-tourist", "GENRE-TOURIST-GOLD", "%00", "a%20b", "ü", "x" * 129, "x" * 5000]
)
async def test_unknown_badge(client: httpx.AsyncClient, headers: dict[str, str], key: str) -> None:
    body = problem(await client.get(f"{LIST}/{key}", headers=headers), 404)
    assert body["type"] == "/docs#unknown-achievement"


async def test_award_of_a_badge_that_the_catalog_lost(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    await award(db, user, "old-friend")
    listed = (await client.get(LIST, headers=headers)).json()
    AchievementList.model_validate(listed)
    assert listed["stats"]["by_category"] == {"retired": 1}
    body = (await client.get(f"{LIST}/old-friend", headers=headers)).json()
    AchievementDetail.model_validate(body)
    assert (body["name"], body["category"], body["ladder"]) == ("old-friend", "retired", [])


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
    evidence = json.dumps({"metric": "pressings", "value": 3, "target": 3, "master": "Blue Train", "master_id": 7})
    await award(db, user, "master-collector-bronze", "master:7", evidence=evidence)
    entries = (await client.get(PROGRESS, headers=headers)).json()["in_progress"]
    found = next(entry for entry in entries if entry["id"] == "master-collector-silver")
    assert found["evidence"] == {"metric": "pressings", "value": 4, "target": 5, "master": "Blue Train", "master_id": 7}


@pytest.mark.parametrize("path", [LIST, PROGRESS, SUMMARY, f"{LIST}/owner-i"])
async def test_etag(
    client: httpx.AsyncClient,
    db: asyncpg.Connection[asyncpg.Record],
    user: str,
    headers: dict[str, str],
    path: str,
) -> None:
    await db.execute("insert into collector (user_id, releases) values ($1, 1)", user)
    first = await client.get(path, headers=headers)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Authorization"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get(path, headers=headers | {"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, no-cache"
    assert (await client.get(path, headers=headers | {"If-None-Match": '"other"'})).status_code == 200
    await award(db, user, "owner-i")
    changed = await client.get(path, headers=headers | {"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (f"{LIST}?limit=0", "limit"),
        (f"{LIST}?limit=501", "limit"),
        (f"{LIST}?limit=many", "limit"),
        (f"{LIST}?limit=", "limit"),
        (f"{LIST}?limit=1e3", "limit"),
        (f"{LIST}?limit=99999999999999999999", "limit"),
        (f"{LIST}?cursor=", "cursor"),
        (f"{LIST}?cursor=abc", "cursor"),
        (f"{LIST}?cursor={'A' * 513}", "cursor"),
        (f"{PROGRESS}?limit=0", "limit"),
        (f"{PROGRESS}?limit=101", "limit"),
        (f"{LIST}/owner-i?limit=-1", "limit"),
        (f"{LIST}/owner-i?cursor=W10", "cursor"),
    ],
)
async def test_bad_parameter(client: httpx.AsyncClient, headers: dict[str, str], path: str, parameter: str) -> None:
    body = problem(await client.get(path, headers=headers), 422)
    assert body["type"] == "/docs#invalid-request"
    assert [(fault["in"], fault["parameter"]) for fault in body["errors"]] == [("query", parameter)]
    assert body["detail"].startswith(f"{parameter}: ")
