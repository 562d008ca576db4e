"""What is missing where values are counted, or where there is nothing but a number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.index import load_catalog
from contracts.countries import COUNTRIES
from contracts.genres import GENRES
from services.missing.answer import missing
from services.missing.asked import Asked
from tests.integration.awards import award
from tests.integration.missing import shelves
from tests.integration.missing.shelves import Ask, Db, pages

TODAY = datetime.now(UTC).date()


def named(entries: list[dict[str, Any]]) -> list[str]:
    assert all(entry.keys() == {"value"} for entry in entries)
    return [entry["value"] for entry in entries]


async def test_genres(db: Db, user: str, ask: Ask) -> None:
    facets = {("genre", "Jazz"): 3, ("genre", "Folk, World, & Country"): 1, ("style", "Rock"): 1, ("country", "UK"): 2}
    await shelves.collector(db, user, facets, genres=2)
    await shelves.collector(db, f"{user}x", {("genre", "Pop"): 1}, genres=1)
    body = await ask("genre-tourist-bronze")
    assert body | {"missing": []} == {
        "id": "genre-tourist-bronze",
        "context": "",
        "context_name": None,
        "kind": "genres",
        "owned": 2,
        "total": 15,
        "as_of": None,
        "target": 5,
        "needed": 3,
        "remaining": "Add 3 more genres",
        "missing": [],
        "next_cursor": None,
    }
    assert named(body["missing"]) == sorted(GENRES - {"Jazz", "Folk, World, & Country"})
    for limit in (1, 6, 12, 13):
        assert await pages(ask, "genre-tourist-bronze", limit) == body["missing"]


async def test_a_tier_that_nobody_can_reach(db: Db, user: str, ask: Ask) -> None:
    await shelves.collector(db, user, {("genre", genre): 1 for genre in GENRES}, genres=15)
    body = await ask("genre-tourist-platinum")
    assert (body["needed"], body["missing"]) == (None, [])
    assert body["remaining"] == "Out of reach, there are only 15 genres"
    await award(db, user, "genre-tourist-platinum")
    assert (await ask("genre-tourist-platinum"))["remaining"] == "Earned"


async def test_countries(db: Db, user: str, ask: Ask) -> None:
    await shelves.collector(db, user, {("country", "UK"): 1, ("country", "Iceland"): 1}, countries=4)
    body = await ask("world-collector-bronze", limit=500)
    assert named(body["missing"]) == sorted(COUNTRIES - {"UK", "Iceland"})
    assert (body["remaining"], body["total"]) == ("Add records from 1 more country", len(COUNTRIES))


async def test_styles(db: Db, user: str, ask: Ask) -> None:
    known = [f"Style {at:02d}" for at in range(30)] + ["É", "a", "Z" * 4000]
    for style in known:
        await shelves.facet_value(db, "style", style)
    await shelves.facet_value(db, "genre", "Jazz")
    await shelves.collector(db, user, {("style", "Style 07"): 1, ("style", "a"): 9}, styles=2)
    body = await ask("style-explorer-bronze", limit=500)
    assert named(body["missing"]) == sorted({*known} - {"Style 07", "a"})
    assert (body["total"], body["needed"], body["remaining"]) == (33, 8, "Add 8 more styles")
    for limit in (1, 30, 31):
        assert await pages(ask, "style-explorer-bronze", limit) == body["missing"]


async def test_formats_sizes_first(db: Db, user: str, ask: Ask) -> None:
    for name in ("CD", '7"', "Cassette", "LP", "8-Track Cartridge", '12"', '10"'):
        await shelves.facet_value(db, "format", name)
    await shelves.collector(db, user, {("format", '12"'): 1, ("format", "CD"): 1}, formats=2)
    body = await ask("format-completionist")
    assert named(body["missing"]) == ["LP", '10"', '7"', "8-Track Cartridge", "Cassette"]
    assert (body["total"], body["remaining"]) == (7, "Add records in 3 more formats")
    for limit in (1, 2, 3, 4, 5):
        assert await pages(ask, "format-completionist", limit) == body["missing"]


async def test_decades(db: Db, user: str, ask: Ask) -> None:
    await shelves.collector(db, user, years={1899: 1, 1969: 2, 1970: 1, 2001: 3}, decades=4, largest_decade=3)
    body = await ask("time-traveler-platinum")
    every = {f"{decade}s" for decade in range(1900, TODAY.year + 1, 10)}
    assert named(body["missing"]) == sorted(every - {"1960s", "1970s", "2000s"})
    assert (body["remaining"], body["total"]) == ("Add records from 2 more decades", len(every) + 1)
    for limit in (1, 4):
        assert await pages(ask, "time-traveler-platinum", limit) == body["missing"]
    era = await ask("era-specialist-bronze")
    assert era["missing"] == [{"value": "2000s", "owned": 3, "needed": 22}]
    assert (era["remaining"], era["owned"]) == ("Add 22 more records from the 2000s", 3)


@pytest.mark.parametrize(("year", "last"), [(2029, "2020s"), (2030, "2030s")])
async def test_the_last_decade_is_the_one_that_has_begun(db: Db, user: str, year: int, last: str) -> None:
    badge = load_catalog().badges["time-traveler-bronze"]
    body = await missing(db, user, Asked(badge, "", 50, None, datetime(year, 1, 1, tzinfo=UTC)))
    assert body is not None
    assert [body["missing"][at]["value"] for at in (0, -1)] == ["1900s", last]


async def test_taste(db: Db, user: str, ask: Ask) -> None:
    facets = {
        ("genre", "Jazz"): 2,
        ("style", "Dub"): 1,
        ("style", "Bop"): 2,
        ("style", "Ambient"): 3,
        ("format", "LP"): 2,
    }
    await shelves.collector(db, user, facets, taste_dimensions=1)
    body = await ask("taste-architect-bronze")
    assert body["missing"] == [
        {"value": "Bop", "facet": "style", "owned": 2, "needed": 1},
        {"value": "Jazz", "facet": "genre", "owned": 2, "needed": 1},
        {"value": "Dub", "facet": "style", "owned": 1, "needed": 2},
    ]
    assert body["remaining"] == "Build up 4 more genres or styles"
    for limit in (1, 2):
        assert await pages(ask, "taste-architect-bronze", limit) == body["missing"]


NUMBERS = [
    ("owner-iii", {"releases": 99}, 1, "Add 1 more release"),
    ("label-hopper-gold", {"labels": 60}, 40, "Add records from 40 more labels"),
    ("wishlister-ii", {}, 10, "Put 10 more releases on your wishlist"),
    ("reviewer-ii", {"reviews": 1}, 4, "Write 4 more reviews"),
    ("editor-v", {"edits": 0}, 1000, "Have 1,000 more edits approved"),
    ("comparer-i", {}, 1, "Run 1 more comparison"),
    ("deep-cut", {}, 1, "Add 1 more release that fewer than 100 collectors have"),
    ("mono-enthusiast", {"mono_releases": 7}, 3, "Add 3 more mono releases"),
    ("anniversary-iii", {"joined_on": TODAY.replace(year=TODAY.year - 1, day=1)}, 2, "2 more years as a member"),
    ("anniversary-iii", {}, None, "Join date not known"),
    (
        "vinyl-archaeologist-gold",
        {"oldest_year": TODAY.year - 41},
        9,
        "Add a pressing that is at least 50 years old",
    ),
]


@pytest.mark.parametrize(("badge", "counts", "needed", "words"), NUMBERS)
async def test_numbers(
    db: Db, user: str, ask: Ask, badge: str, counts: dict[str, Any], needed: int | None, words: str
) -> None:
    await shelves.collector(db, user, **counts)
    body = await ask(badge)
    assert (body["needed"], body["remaining"], body["missing"]) == (needed, words, [])
    await award(db, user, badge)
    earned = await ask(badge)
    assert (earned["needed"], earned["remaining"], earned["owned"]) == (0, "Earned", body["owned"])


async def test_of_a_user_whom_nobody_knows_everything_is_missing(db: Db, ask: Ask) -> None:
    genres = await ask("genre-tourist-bronze")
    assert (genres["owned"], named(genres["missing"])) == (0, sorted(GENRES))
    assert (await ask("owner-i"))["remaining"] == "Add 1 more release"
    assert (await ask("era-specialist-bronze"))["remaining"] == "Add 25 more records from one decade"
