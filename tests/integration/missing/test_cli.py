"""`gatefold missing` as a process."""

from __future__ import annotations

import asyncio
import json

import pytest

from services.api.models.missing import MissingList
from tests.integration.commands import Done, gatefold
from tests.integration.missing import shelves
from tests.integration.missing.shelves import Db


@pytest.fixture
def surroundings(database: str) -> dict[str, str]:
    return {"GATEFOLD_POSTGRES_URL": database, "COLUMNS": "100"}


async def kid_a(db: Db, user: str) -> None:
    await shelves.collector(db, user, {("genre", "Jazz"): 1}, genres=1)
    await shelves.total(db, "master", 21, "Kid A [live]", 3)
    for id_, issued in ((2, "2016"), (3, "2000-10-02"), (4, None)):
        await shelves.release(db, id_, f"Kid A [{id_}]", issued, master=21)
    await shelves.counted(db, user, "m", 21, 1)


async def missing(surroundings: dict[str, str], *arguments: str) -> Done:
    return await asyncio.to_thread(gatefold, surroundings, "missing", *arguments)


async def test_json_is_the_answer_of_the_api(db: Db, user: str, ask: shelves.Ask, surroundings: dict[str, str]) -> None:
    await kid_a(db, user)
    for badge, query in (("master-collector-bronze", {"context": "master:21"}), ("genre-tourist-bronze", {"limit": 3})):
        options = [part for name, value in query.items() for part in (f"--{name}", str(value))]
        done = await missing(surroundings, user, badge, *options, "--json")
        assert (done.code, done.err) == (0, "")
        MissingList.model_validate(json.loads(done.out))
        assert json.loads(done.out) == await ask(badge, **query)


async def test_table(db: Db, user: str, surroundings: dict[str, str]) -> None:
    await kid_a(db, user)
    done = await missing(surroundings, user, "master-collector-bronze")
    lines = [line.strip() for line in done.out.splitlines()]
    assert lines[:3] == [
        f"{user}, Master Collector Bronze, Kid A [live]",
        "1 of 3 releases (2026-11-01)",
        "Add 2 more pressings of Kid A [live]",
    ]
    titles = [line.split("│")[2].strip() for line in lines if "│" in line]
    assert titles == ["Kid A [3]", "Kid A [2]", "Kid A [4]"]
    assert "more" not in lines[-1]
    short = await missing(surroundings, user, "genre-tourist-bronze", "--limit", "2")
    assert "Brass & Military" in short.out
    assert "Children's" not in short.out
    assert short.out.splitlines()[-1] == "… and more: --limit"
    alone = await missing(surroundings, user, "reviewer-i")
    assert [line.strip() for line in alone.out.splitlines()][1:] == ["0 reviews", "Write 1 more review"]


async def test_what_is_asked_wrongly(db: Db, user: str, surroundings: dict[str, str]) -> None:
    await kid_a(db, user)
    for arguments, code, words in (
        ((user, "no-such-badge"), 2, "no badge is called 'no-such-badge'; see `gatefold catalog list`"),
        ((user, "deep-cut", "--context", "label:1"), 2, "--context: deep-cut has no contexts"),
        ((user, "master-collector-gold", "--context", "21"), 2, "is earned for a master: master:<id>"),
        ((user, "deep-cut", "--limit", "0"), 2, "Invalid value for '--limit'"),
        ((user, "time-traveler"), 2, "time-traveler is a family; its tiers are time-traveler-bronze, "),
        ((f"{user}x", "deep-cut"), 1, f"nothing is known of user '{user}x'"),
    ):
        done = await missing(surroundings, *arguments)
        assert (done.code, done.out) == (code, "")
        assert words in done.err
    done = await missing({"GATEFOLD_POSTGRES_URL": "postgresql://127.0.0.1:1/x"}, user, "deep-cut")
    assert (done.code, done.err.count("\n")) == (69, 1)
