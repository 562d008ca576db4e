"""The past of a collection: awards as they came, numbers month by month."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from services.api.view import cursor_of, place_of
from services.pages import history as page
from services.stores import history
from services.stores.history import Month
from services.stores.postgres import Connection
from tests.integration.awards import award
from tests.integration.pages.conftest import See
from tests.integration.pages.shelves import NOON, copy
from tests.integration.trial.past import processed
from tests.model import lab
from tests.model.events import added, event, removed

SCORES = (["owner-i", "owner-ii", "genre-tourist-bronze"], [10, 20, 30])


async def test_months(db: Connection) -> None:
    may, june = datetime(2024, 5, 31, 23, 59, tzinfo=UTC), datetime(2024, 6, 2, tzinfo=UTC)
    await copy(db, 1, 10, at=june, added_on=date(2020, 1, 31))
    await copy(db, 2, 10, at=june, added_on=date(2021, 1, 1))  # a second copy: the release came with the first
    await copy(db, 3, 20, at=may)
    await copy(db, 4, 30, at=june, added_on=date(1, 1, 1))  # nobody means that
    await copy(db, 5, 40, at=june, added_on=date(2024, 6, 3))  # not yet
    await copy(db, 6, 50, at=may, present=False)
    await copy(db, 7, 60, at=may, user="ben")
    await award(db, "ada", "owner-i", at=may)
    await award(db, "ada", "owner-ii", at=june, revoked_at=june)
    await award(db, "ada", "genre-tourist-bronze", at=june, hidden=True)
    await award(db, "ada", "comparer-i", at=datetime(2024, 8, 1, tzinfo=UTC))
    assert await history.months(db, "ada") == [
        Month(date(2020, 1, 1), 1, 0, 1, 0),
        Month(date(2024, 5, 1), 1, 1, 2, 1),
        Month(date(2024, 6, 1), 2, 0, 4, 1),
        Month(date(2024, 8, 1), 0, 1, 4, 2),
    ]
    assert await history.months(db, "nobody") == []


async def test_what_came_before_the_months_is_in_the_numbers(db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 6):
        await copy(db, number, number, at=NOON + timedelta(days=31 * number))
    monkeypatch.setattr(history, "MOST_MONTHS", 2)
    assert [(one.releases, one.releases_so_far) for one in await history.months(db, "ada")] == [(1, 4), (1, 5)]


async def test_when_a_copy_was_added_is_what_the_newest_statement_says(database: str) -> None:
    connection = await lab.worker_connection(database)
    try:
        await lab.clear(connection)

        def said(name: str, minute: int, *days: tuple[int, str | None]) -> lab.Event:
            items = [
                {"instance_id": one, "release": {"id": one}} | ({} if day is None else {"added_at": day})
                for one, day in days
            ]
            return event("ownership.added", name, {"items": items}, time=NOON + timedelta(minutes=minute))

        await processed(
            connection,
            [
                said("a", 2, (1, "2019-04-05T23:59:00-07:00"), (2, "2019-04-06"), (3, None), (4, "2018-01-01")),
                said("b", 1, (1, "2011-01-01")),  # older: not heard
                said("c", 3, (2, None), (3, "2020-02-02 10:00")),
                removed("d", 4, time=NOON + timedelta(minutes=4)),
                added("e", (5, {"id": 5})),
            ],
        )
        stored = await connection.fetch("select instance_id, added_on from owned order by instance_id")
        expected = [(1, date(2019, 4, 5)), (2, None), (3, date(2020, 2, 2)), (4, None), (5, None)]
        assert [tuple(row) for row in stored] == expected
        assert [(one.month, one.releases) for one in await history.months(connection, "ada")] == [
            (date(2019, 4, 1), 1),
            (date(2020, 2, 1), 1),
            (date(2026, 3, 1), 2),
        ]
    finally:
        await connection.close()


async def test_pages_of_awards(db: Connection) -> None:
    for day in range(4):
        for key in ("owner-i", "owner-ii", "genre-tourist-bronze"):
            await award(db, "ada", key, f"label:{day}", NOON + timedelta(days=day))
    await award(db, "ada", "owner-i", "label:9", NOON, sort_override=99)
    await award(db, "ada", "unheard-of", at=NOON)
    await award(db, "ada", "owner-ii", "label:8", NOON, revoked_at=NOON)
    await award(db, "ada", "owner-ii", "label:7", NOON, hidden=True)
    await award(db, "ben", "owner-ii", at=NOON)
    seen, after = [], None
    while True:
        page, more = await history.awards(db, "ada", SCORES, 3, after)
        seen += page
        if not more:
            break
        assert len(page) == 3
        after = place_of(cursor_of(page[-1]))
    assert len(seen) == len({(one.badge_key, one.context) for one in seen}) == 14
    assert [(one.badge_key, one.context) for one in seen[:3]] == [
        ("genre-tourist-bronze", "label:3"),
        ("owner-ii", "label:3"),
        ("owner-i", "label:3"),
    ]
    assert [(one.badge_key, one.score) for one in seen[9:]] == [
        ("owner-i", 99),
        ("genre-tourist-bronze", 30),
        ("owner-ii", 20),
        ("owner-i", 10),
        ("unheard-of", 0),
    ]
    assert [one.at for one in seen] == sorted((one.at for one in seen), reverse=True)


async def test_the_page(db: Connection, see: See, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Side A is still blank" in await see("/me/history", who="nobody")
    monkeypatch.setattr(page, "AWARDS", 3)
    for at in range(4):
        said = {"metric": "label_coverage", "label": f"<b>{at}", "owned": 1, "total": 4}
        await award(db, "ada", "label-loyalist-bronze", f"label:{at + 1}", NOON + timedelta(minutes=at), evidence=said)
    await award(db, "ada", "unheard-of", at=NOON - timedelta(days=1))
    first = await see("/me/history")
    assert "March 2026 <small>4 badges</small>" in first
    assert first.count("&lt;b&gt;") == 3
    assert 'data-month="2026-02-01" data-releases="0" data-badges="1"' in first
    assert 'data-month="2026-03-01" data-releases="0" data-badges="5"' in first
    older = re.search(r'href="([^"]*)" rel="next"', first)
    assert older is not None
    second = await see(older[1].replace("&amp;", "&"))
    assert "March 2026, continued <small>4 badges</small>" in second
    assert second.count("&lt;b&gt;") == 1
    assert "unheard-of" in second
    assert "<table" not in second
    assert "März 2026" in await see("/me/history", language="de")
    await see("/me/history?cursor=x", status=422)
