"""Before you sell: what is found, picked, and said of it."""

from __future__ import annotations

import re

import pytest

from services.pages import sell
from services.stores.postgres import Connection
from tests.integration.pages.conftest import See
from tests.integration.pages.shelves import copy
from tests.integration.pages.test_detail import text
from tests.integration.trial.past import processed, unwritten
from tests.model import lab
from tests.model.events import added


@pytest.fixture
async def shelf(db: Connection, database: str) -> Connection:
    """Ada owns ten releases of five genres, two of them pressings of one work of one label."""
    connection = await lab.worker_connection(database)
    try:
        await lab.clear(connection)
        owned = [(n, {"id": n, "title": f"Record {n}", "genres": [f"G{n % 5}"], "year": 1970 + n}) for n in range(1, 9)]
        label, artist = {"id": 990, "name": "<i>Label"}, {"id": 991, "name": "Artist & Co"}
        of_one = {"title": "Work", "labels": [label], "artists": [artist], "master_id": 77, "formats": [{"name": "CD"}]}
        owned += [(n, {"id": n, "genres": ["G1"], **of_one}) for n in (9, 10)]
        await processed(connection, [added("page", *owned)])
    finally:
        await connection.close()
    return db


async def test_nothing_to_sell(db: Connection, see: See) -> None:
    page = await see("/me/sell", who="nobody")
    assert "Nothing on the shelf yet" in page
    assert '<form action="/me/sell"' not in page
    assert "Nothing found" in await see("/me/sell?q=abba", who="nobody")


async def test_what_would_change(shelf: Connection, see: See) -> None:
    async with unwritten(shelf):
        page = await see("/me/sell?q=record+7&pick=9&pick=10&pick=9&pick=4711&pick=1")
    said = text(page)
    assert "Record 7" in said
    assert "3 records picked" in said
    assert "One of the records is not in your collection any more." in said
    assert "Owner II 10 → 7, 10 needed You keep the badge" in said
    assert "fall below one tier" in said
    assert "Releases 10 7" in said
    assert "Pressings of Work 2 0" in said
    assert "&lt;i&gt;Label · CD" in page
    fewer = text(await see("/me/sell?q=record+7&pick=9&pick=10&pick=1&keep=1"))
    assert "2 records picked" in fewer
    assert "No tier is at stake" not in page
    # What is picked already is not offered again.
    assert 'id="c9"' not in await see("/me/sell?pick=9")
    german = text(await see("/me/sell?pick=9", language="de"))
    assert "Deine Zahlen würden unter eine Stufe fallen" in german


async def test_a_second_copy_can_go(shelf: Connection, see: See) -> None:
    await copy(shelf, 11, 1, title="Record 1", year=1971)
    page = text(await see("/me/sell?pick=11"))
    assert "No tier is at stake" in page
    assert "Your numbers" not in page


async def test_at_most_so_many(shelf: Connection, see: See, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sell, "MOST_PICKED", 2)
    page = text(await see("/me/sell?pick=1&pick=2&pick=3"))
    assert "2 records picked" in page
    assert "At most 2 records at once" in page


async def test_pages(shelf: Connection, see: See, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sell, "RECORDS", 4)
    path, found = "/me/sell?pick=10", []
    for _ in range(3):
        page = await see(path)
        found += re.findall(r'id="c(\d+)"', page)
        assert "One record picked" in text(page)
        further = re.search(r'href="([^"]*)" rel="next"', page)
        if further is None:
            break
        path = further[1].replace("&amp;", "&")
    assert found == [str(n) for n in range(9, 0, -1)]
    assert "Back to the newest" in page


@pytest.mark.parametrize(
    "query",
    ["pick=0", "pick=-1", "pick=x", f"pick={2**63}", "after=0", f"after={2**63}", f"q={'x' * 101}"],
)
async def test_what_cannot_be(db: Connection, see: See, query: str) -> None:
    assert "<h1>" in await see(f"/me/sell?{query}", status=422)


async def test_whatever_is_looked_for(shelf: Connection, see: See) -> None:
    for q in ("%00", "%25", "_", "%5C", "%22%3E%3Cscript%3E", "%F0%9F%98%80", "%D7%A2%D7%91%D7%A8", "%20%20"):
        page = await see(f"/me/sell?q={q}")
        assert "<script>" not in page
