"""A search among one's own copies."""

from __future__ import annotations

import pytest

from services.stores import shelf
from services.stores.postgres import Connection
from tests.integration.pages.shelves import copy


@pytest.fixture
async def stocked(db: Connection) -> Connection:
    """Five copies of four releases, one that left, and one of somebody else."""
    await copy(db, 1, 10, title="Debut", artists=[[1, "Björk"]], labels=[[7, "One Little Indian"]], year=1993)
    await copy(db, 2, 20, title="100% Pure_Love", artists=[[2, "Crystal Waters"]], genres=["House"], year=1994)
    await copy(db, 3, 30, title='The "Blue" Room\\', artists=[[3, "The Orb"]], released="1992-06-08")
    await copy(db, 4, 10, title="Debut", artists=[[1, "Björk"]], labels=[[7, "One Little Indian"]], year=1993)
    await copy(db, 5, 40)
    await copy(db, 6, 50, title="Gone", present=False)
    await copy(db, 7, 60, user="ben", title="Debut of Ben")
    return db


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("debut", [4, 1]),
        ("BJÖRK", [4, 1]),
        ("  one\tlittle   björk ", [4, 1]),
        ("björk 1993", [4, 1]),
        ("björk 1994", []),
        ("1992", [3]),
        ("100%", [2]),
        ("e_L", [2]),
        ("l%r", []),
        ("_", [2]),
        ('"blue"', [3]),
        ("room\\", [3]),
        ("house", []),  # a genre
        ("title", []),  # the name of a field
        ("7", []),  # the id of a label
        ("40", [5]),  # a release, of which nothing is known
        ("9" * 30, []),
        ("gone", []),
        ("\U0001f600 עברית", []),
    ],
)
async def test_what_is_found(stocked: Connection, text: str, found: list[int]) -> None:
    answer = await shelf.search(stocked, "ada", text, 10)
    assert [one.instance_id for one in answer.copies] == found
    assert answer.next is None


async def test_pages(stocked: Connection) -> None:
    seen: list[int] = []
    after = None
    while True:
        page = await shelf.search(stocked, "ada", "", 2, after)
        seen += [one.instance_id for one in page.copies]
        if page.next is None:
            break
        assert len(page.copies) == 2
        after = page.next
    assert seen == [5, 4, 3, 2, 1]
    assert [one.release_id for one in (await shelf.search(stocked, "ada", "", 5)).copies] == [40, 10, 30, 20, 10]


async def test_a_large_collection_is_looked_at_piece_by_piece(
    stocked: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MOST_LOOKED", 2)
    first = await shelf.search(stocked, "ada", "waters", 10)
    assert (first.copies, first.next) == ([], 4)
    second = await shelf.search(stocked, "ada", "waters", 10, first.next)
    assert ([one.instance_id for one in second.copies], second.next) == ([2], 2)
    assert await shelf.search(stocked, "ada", "waters", 10, second.next) == ([], None)


async def test_only_ones_own_copies(stocked: Connection) -> None:
    found = await shelf.copies(stocked, "ada", [1, 3, 5, 6, 7, 99])
    assert [(one.instance_id, one.facts.title) for one in found] == [(5, None), (3, 'The "Blue" Room\\'), (1, "Debut")]
