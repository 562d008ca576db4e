"""What is earned over HTTP: lists, order, paging, summary and detail."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from contracts.times import rfc3339
from services.api.models.achievements import AchievementDetail, AchievementList, Summary
from services.api.view import icon_path
from tests.integration.api.world import CATALOG, LIST, PROGRESS, SUMMARY, holders, rare
from tests.integration.awards import START, award
from tests.integration.served import problem


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
    await award(db, user, "genre-tourist-silver", evidence=evidence, at=START + timedelta(microseconds=5))
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
        "rarity": rare(2, 0.25, "held by 2 collectors"),
        "hidden_until_earned": False,
        "icon": icon_path(CATALOG.badges["genre-tourist-silver"]),
        "source": "auto",
    }
    assert body["achievements"][2]["source"] == "backfill"
    assert body["achievements"][0]["rarity"] == rare(None, None, None)
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
        await award(db, user, "master-collector-bronze", f"master:{master}", START + timedelta(days=day), {"value": 1})
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
    assert body["rarity"] == rare(1, 0.1, "held by 1 collector")
    assert [rung["earned"] for rung in body["ladder"]] == [False] * 4
    body = (await client.get(f"{LIST}/genre-tourist-silver", headers=headers)).json()
    assert body["rarity"] == rare(0, 0.0, "held by nobody yet")
    await holders(db)
    body = (await client.get(f"{LIST}/genre-tourist-silver", headers=headers)).json()
    assert body["rarity"] == rare(None, None, None), "nobody has counted"


async def test_rarity_is_the_same_in_list_summary_and_detail(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str]
) -> None:
    await holders(db, everybody=(400, 100), master_collector_bronze=(20, 19), deep_cut=(21, 20), owner_i=(399, 100))
    await award(db, user, "owner-i", rank=-7)
    await award(db, user, "deep-cut", at=START + timedelta(days=1))
    # The first award of several has the rank of all; a hidden one tells nothing.
    await award(db, user, "master-collector-bronze", "master:5", rank=17)
    await award(db, user, "master-collector-bronze", "master:6", START + timedelta(days=2))
    await award(db, user, "reviewer-i", rank=2, hidden=True)
    expected = {
        "owner-i": rare(
            *(399, 0.9975, "held by 399 collectors, 99.7 % of all, 100 % of the active ones"),
            active_holders=100,
            share_active=1.0,
        ),
        "deep-cut": rare(
            *(21, 0.0525, "held by 21 collectors, 5.2 % of all, 20 % of the active ones"),
            active_holders=20,
            share_active=0.2,
        ),
        "master-collector-bronze": rare(
            *(20, 0.05, "held by 20 collectors, 5 % of all, 17th to earn it"),
            active_holders=19,
            share_active=0.19,
            rank=17,
        ),
    }
    body = (await client.get(LIST, headers=headers)).json()
    AchievementList.model_validate(body)
    assert len(body["achievements"]) == 4
    for one in [*body["achievements"], body["stats"]["rarest"]]:
        assert one["rarity"] == expected[one["id"]]
    short = (await client.get(SUMMARY, headers=headers)).json()
    Summary.model_validate(short)
    assert (short["rarest"]["id"], short["most_recent"]["id"]) == ("master-collector-bronze", "master-collector-bronze")
    assert short["rarest"]["rarity"] == short["most_recent"]["rarity"] == expected["master-collector-bronze"]
    for key, rarity in expected.items():
        assert (await client.get(f"{LIST}/{key}", headers=headers)).json()["rarity"] == rarity
    body = (await client.get(f"{LIST}/reviewer-i", headers=headers)).json()
    assert (body["earned"], body["rarity"]["rank"]) == (False, None)


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
