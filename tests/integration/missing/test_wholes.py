"""What is missing of labels, artists and masters, asked over HTTP."""

from __future__ import annotations

import random

import httpx
import pytest

from evaluators.remaining import REACHED
from services.settings import Settings
from tests.integration.awards import START, award
from tests.integration.missing import shelves
from tests.integration.missing.shelves import Ask, Db, pages, warp
from tests.integration.served import bearer


async def test_label(db: Db, user: str, ask: Ask) -> None:
    await warp(db, user)
    await shelves.own(db, f"{user}x", 11, 12, 14, 15)
    body = await ask("label-loyalist-silver", context="label:23528")
    assert body == {
        "id": "label-loyalist-silver",
        "context": "label:23528",
        "context_name": "Warp Records",
        "kind": "releases",
        "owned": 90,
        "total": 243,
        "as_of": "2026-11-01",
        "target": 50,
        "needed": 32,
        "remaining": "Add 32 more Warp Records releases",
        "missing": [
            {"release_id": 13, "title": "Track With No Name", "year": 1989},
            {"release_id": 15, "title": "Testone", "year": 1989},
            {"release_id": 14, "title": "Dextrous", "year": 1989},
            {"release_id": 11, "title": "Artificial Intelligence", "year": 1992},
            {"release_id": 12, "title": "Undated", "year": None},
            {"release_id": 16, "title": None, "year": 1990},
        ],
        "next_cursor": None,
    }
    for limit in (1, 2, 3, 5, 6):
        assert await pages(ask, "label-loyalist-silver", limit, context="label:23528") == body["missing"]


async def test_label_that_is_earned_already_or_taken_back(db: Db, user: str, ask: Ask) -> None:
    await warp(db, user)
    await award(db, user, "label-loyalist-bronze", "label:23528")
    await award(db, user, "label-loyalist-silver", "label:23528", revoked_at=START)
    await award(db, user, "label-loyalist-gold", "label:1")
    earned = await ask("label-loyalist-bronze", context="label:23528")
    assert (earned["needed"], earned["remaining"], len(earned["missing"])) == (0, "Earned", 6)
    back = await ask("label-loyalist-silver", context="label:23528")
    assert (back["needed"], back["remaining"]) == (None, "Taken back; only given again by hand")
    assert (await ask("label-loyalist-gold", context="label:23528"))["needed"] == 93
    await db.execute("update user_badges set hidden = true")
    for badge, words in (("bronze", REACHED), ("silver", "Add 32 more Warp Records releases")):
        assert (await ask(f"label-loyalist-{badge}", context="label:23528"))["remaining"] == words, "as if not earned"


@pytest.mark.parametrize(
    ("number", "words"),
    [(None, "Catalogue size not known"), (4, "A catalogue of 4 releases is too small, 5 needed")],
)
async def test_label_whose_size_is_not_known(db: Db, user: str, ask: Ask, number: int | None, words: str) -> None:
    await shelves.total(db, "label", 7, None, number)
    await shelves.release(db, 70, "Known all the same", "2001", labels=[7])
    await shelves.counted(db, user, "l", 7, 2)
    for query in ({"context": "label:7"}, {}):
        body = await ask("label-loyalist-bronze", **query)
        assert (body["context"], body["context_name"], body["owned"], body["total"]) == ("label:7", None, 2, number)
        assert (body["needed"], body["remaining"]) == (None, words)
        assert body["missing"] == [{"release_id": 70, "title": "Known all the same", "year": 2001}]


async def test_label_that_nobody_knows(db: Db, ask: Ask) -> None:
    body = await ask("label-loyalist-bronze", context="label:9223372036854775807")
    assert (body["owned"], body["total"], body["missing"]) == (0, None, [])
    nothing = await ask("label-loyalist-bronze")
    assert (nothing["context"], nothing["missing"], nothing["needed"]) == ("", [], None)
    assert nothing["remaining"] == "Own 25 % of the releases of a label"


async def test_nearest_label_is_the_one_with_the_largest_share_that_has_not_the_badge(
    db: Db, user: str, ask: Ask
) -> None:
    shares = {1: (2, 10), 2: (3, 10), 3: (4, 4), 30: (3, 10), 5: (9, 10), 6: (40, None), 8: (1, 1000), 41: (9, 5)}
    for label, (owned, number) in shares.items():
        await shelves.total(db, "label", label, f"Label {label}", number)
        await shelves.counted(db, user, "l", label, owned)
    await shelves.counted(db, user, "l", -5, 50)
    await shelves.counted(db, f"{user}x", "l", 9, 9)
    order = []
    for _ in range(len(shares)):
        body = await ask("label-loyalist-silver")
        order.append(body["context"])
        await award(db, user, "label-loyalist-silver", body["context"], revoked_at=None if len(order) % 2 else START)
    reached, known = ["label:41", "label:5"], ["label:2", "label:30", "label:1", "label:8"]
    assert order == [*reached, *known, "label:6", "label:3"]
    assert (await ask("label-loyalist-silver"))["context"] == ""
    assert (await ask("label-loyalist-gold"))["context"] == "label:41"


@pytest.mark.parametrize("seed", range(6))
async def test_nearest_is_what_progress_shows_first(
    db: Db, user: str, ask: Ask, settings: Settings, client: httpx.AsyncClient, seed: int
) -> None:
    chance = random.Random(seed)
    await shelves.collector(db, user, releases=1)
    for facet, kind in (("l", "label"), ("a", "artist")):
        for id_ in chance.sample(range(1, 200), 20):
            await shelves.total(db, kind, id_, f"Name {id_}", chance.choice([None, 3, 5, 9, 10, 20, 40]))
            await shelves.counted(db, user, facet, id_, chance.choice([1, 2, 3, 12]))
    for master in chance.sample(range(1, 200), 20):
        await shelves.counted(db, user, "m", master, chance.choice([1, 2, 5]))
    headers = bearer(settings, user)
    shown = (await client.get("/api/user/achievements/progress?limit=100", headers=headers)).json()["in_progress"]
    for family in ("label-loyalist", "discography-deep-dive", "master-collector"):
        first = next(entry for entry in shown if entry["id"] == f"{family}-bronze")
        assert (await ask(f"{family}-bronze"))["context"] == first["context"]


async def test_a_list_stays_with_its_label_when_another_one_comes_nearer(db: Db, user: str, ask: Ask) -> None:
    await warp(db, user)
    first = await ask("label-loyalist-gold", limit=2)
    await shelves.total(db, "label", 1, "Nearer", 10)
    await shelves.counted(db, user, "l", 1, 7)
    second = await ask("label-loyalist-gold", limit=2, cursor=first["next_cursor"])
    assert (first["context"], second["context"]) == ("label:23528", "label:23528")
    assert [entry["release_id"] for entry in second["missing"]] == [14, 11]
    assert (await ask("label-loyalist-gold"))["context"] == "label:1"
    await ask("label-loyalist-gold", cursor=first["next_cursor"], context="label:1", status=422)


async def test_artist(db: Db, user: str, ask: Ask) -> None:
    await shelves.total(db, "artist", 45, "Aphex Twin", 6)
    await shelves.total(db, "master", 100, "Selected Ambient Works", None, year=1992)
    await shelves.total(db, "master", 200, "Drukqs", None)
    await shelves.release(db, 1, "SAW (reissue)", "2008", master=100, artists=[45])
    await shelves.release(db, 2, "SAW", "1993", master=100, artists=[45])
    await shelves.release(db, 3, "Drukqs (2CD)", "2001-10-22", master=200, artists=[45])
    await shelves.release(db, 4, "Later", "2003", master=300, artists=[45])
    await shelves.release(db, 5, "First of 300", "1991-01", master=300, artists=[45])
    await shelves.release(db, 6, "Alone", "1991", artists=[45, 46])
    await shelves.release(db, 7, "Alone and owned", "1990", artists=[45])
    await shelves.release(db, 8, "Of an owned master", "1990", master=400, artists=[45])
    await shelves.release(db, 9, "Undated", None, artists=[45], released="1977-01-01")
    await shelves.release(db, 10, "Of somebody else", "1980", master=500, artists=[46])
    await shelves.own(db, user, 7, 3)
    await shelves.counted(db, user, "m", 400, 1)
    await shelves.counted(db, user, "m", 200, 0)
    await shelves.counted(db, user, "a", 45, 2)
    await shelves.own(db, f"{user}x", 6, 9)
    await shelves.counted(db, f"{user}x", "m", 100, 1)
    await shelves.counted(db, f"{user}x", "a", 45, 3)
    body = await ask("discography-deep-dive-gold", context="artist:45")
    assert (body["context_name"], body["kind"], body["owned"], body["total"]) == ("Aphex Twin", "masters", 2, 6)
    assert (body["needed"], body["remaining"]) == (3, "Add 3 more works by Aphex Twin")
    assert body["missing"] == [
        {"release_id": 6, "title": "Alone", "year": 1991},
        {"master_id": 300, "title": "First of 300", "year": 1991},
        {"master_id": 100, "title": "Selected Ambient Works", "year": 1992},
        {"master_id": 200, "title": "Drukqs", "year": 2001},
        {"release_id": 9, "title": "Undated", "year": 1977},
    ]
    for limit in (1, 2, 4):
        assert await pages(ask, "discography-deep-dive-gold", limit) == body["missing"]


async def test_master(db: Db, user: str, ask: Ask) -> None:
    await shelves.total(db, "master", 21, "Kid A", 12, year=2000)
    for id_, issued in ((1, "2000-10-02"), (2, "2000"), (3, "2016"), (4, None)):
        await shelves.release(db, id_, f"Kid A {id_}", issued, master=21)
    await shelves.release(db, 5, "Amnesiac", "2001", master=22)
    await shelves.own(db, user, 1, 5)
    for master, pressings in ((21, 2), (22, 1), (23, 7), (3, 2)):
        await shelves.counted(db, user, "m", master, pressings)
    body = await ask("master-collector-bronze", context="master:21")
    assert (body["context_name"], body["owned"], body["total"], body["needed"]) == ("Kid A", 2, 12, 1)
    assert (body["remaining"], body["kind"]) == ("Add 1 more pressing of Kid A", "releases")
    assert [entry["release_id"] for entry in body["missing"]] == [2, 3, 4]
    assert await pages(ask, "master-collector-bronze", 1, context="master:21") == body["missing"]
    untitled = await ask("master-collector-bronze", context="master:22")
    assert (untitled["context_name"], untitled["total"]) == ("Amnesiac", None)
    assert untitled["remaining"] == "Add 2 more pressings of Amnesiac"
    reached = await ask("master-collector-bronze")
    assert (reached["context"], reached["needed"], reached["remaining"]) == (
        "master:23",
        0,
        "Reached, the award is still to come",
    )
    await award(db, user, "master-collector-bronze", "master:23")
    assert [(await ask(f"master-collector-{tier}"))["context"] for tier in ("bronze", "gold")] == [
        "master:21",
        "master:23",
    ]


@pytest.mark.parametrize("seed", range(8))
async def test_lists_are_those_that_a_look_at_everything_gives(db: Db, user: str, ask: Ask, seed: int) -> None:
    """Every release of a label, every work of an artist and every version, but for what is owned, once and in order."""
    chance = random.Random(seed)
    issued: dict[int, str | None] = {}
    masters: dict[int, int | None] = {}
    years = {master: chance.choice([None, *range(1990, 1994)]) for master in range(1, 12)}
    for master, year in years.items():
        await shelves.total(db, "master", master, f"Master {master}", None, year=year)
    of_label, of_artist = set(), set()
    for id_ in chance.sample(range(1, 10_000), 60):
        issued[id_] = chance.choice([None, "1990", "1991", "1991-02", "1991-02-03", "1992", "1993-11"])
        masters[id_] = chance.choice([None, *years])
        labels, artists = chance.choice([[7], [8], []]), chance.choice([[5], [6], [5, 6]])
        await shelves.release(db, id_, f"Title {id_}", issued[id_], master=masters[id_], labels=labels, artists=artists)
        of_label |= {id_} if 7 in labels else set()
        of_artist |= {id_} if 5 in artists else set()
    owned = set(chance.sample(sorted(issued), 15))
    await shelves.own(db, user, *owned)
    of_owned = {master for id_ in owned if (master := masters[id_]) is not None}
    for master in of_owned:
        await shelves.counted(db, user, "m", master, 1)

    def oldest_first(ids: set[int]) -> list[tuple[str, int]]:
        return sorted((issued[id_] or "~", id_) for id_ in ids)

    expected = [id_ for _, id_ in oldest_first(of_label - owned)]
    works: dict[int, str] = {}
    for date, id_ in oldest_first(of_artist):
        if (master := masters[id_]) is None:
            works |= {-id_: date} if id_ not in owned else {}
        elif master not in of_owned:
            works.setdefault(master, str(years[master] or date))
    limit = chance.choice([1, 3, 7, 500])
    found = await pages(ask, "label-loyalist-gold", limit, context="label:7")
    assert [entry["release_id"] for entry in found] == expected
    found = await pages(ask, "discography-deep-dive-gold", limit, context="artist:5")
    named = [entry.get("master_id") or -entry["release_id"] for entry in found]
    assert named == sorted(works, key=lambda work: (works[work], work))
    for master in (1, 2):
        versions = {id_ for id_, of in masters.items() if of == master} - owned
        found = await pages(ask, "master-collector-gold", limit, context=f"master:{master}")
        assert [entry["release_id"] for entry in found] == [id_ for _, id_ in oldest_first(versions)]
