"""Exports equal a recount, start no formula in a spreadsheet, and take no more memory for more awards."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from contracts.times import rfc3339
from services.looking.export import BEGINNING, COLUMNS, Format, cell, pieces
from services.stores import looking
from tests.integration.admin.world import EXPORT, crowd
from tests.integration.awards import award
from tests.model.events import minutes

MANY = """
    insert into user_badges (user_id, badge_key, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence)
    select 'u' || n, 'owner-i', gen_random_uuid(), now(), 'auto', 'cron.sweep', 'null', gen_random_uuid(), '{}'
    from generate_series(1, $1::integer) n
"""
FORMULAS = ["=1+1", "+1", "-x", "@me", "\tx", "\rx", "plain", 'a "b", c', "a\nb"]


async def test_exports_equal_a_recount(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    names = await crowd(db, 2500)
    for at, text in enumerate(FORMULAS):
        await award(db, "@ann" if at % 2 else "-ann", "deep-cut", text, minutes(at))
        names.append(("@ann" if at % 2 else "-ann", "deep-cut", text))
    await db.execute("update user_badges set revoked_at = now(), sort_override = -5 where context = 'label:1'")
    rows = [dict(row) for row in await db.fetch(f"select {', '.join(COLUMNS)} from user_badges order by 1, 2, 3")]  # noqa: S608
    answer = await client.get(EXPORT, params={"format": "json"}, headers=chief)
    assert answer.headers["content-type"] == "application/json"
    lines = answer.json()
    assert [(one["user_id"], one["badge_key"], one["context"]) for one in lines] == sorted(names)
    for line, row in zip(lines, rows, strict=True):
        wanted = row | {"award_id": str(row["award_id"]), "evidence": json.loads(row["evidence"])}
        for name in ("awarded_at", "revoked_at"):
            wanted[name] = None if row[name] is None else rfc3339(row[name])
        assert line == wanted
    answer = await client.get(EXPORT, headers=chief)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="awards.csv"'
    head, *cells = csv.reader(io.StringIO(answer.text, newline=""))
    assert tuple(head) == COLUMNS
    assert cells == [[cell(value) for value in row.values()] for row in rows]
    assert not any(text.startswith(("=", "+", "@", "\t", "\r")) for row in cells for text in row)
    assert {text for row in cells for text in row if text.startswith("-")} == {"-5"}
    since = rfc3339(datetime.now(UTC) - timedelta(hours=24))
    fresh = await client.get(EXPORT, params={"since": since, "badge": "owner-i", "format": "json"}, headers=chief)
    assert len(fresh.json()) == await db.fetchval(
        "select count(*) from user_badges where badge_key = 'owner-i' and awarded_at > now() - interval '24 hours'"
    )


async def test_exports_of_nothing(client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    assert (await client.get(EXPORT, params={"format": "json"}, headers=chief)).json() == []
    assert (await client.get(EXPORT, headers=chief)).text == ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_exports_take_no_more_memory_for_more_awards(db: asyncpg.Connection, form: Format) -> None:
    async def peak(number: int) -> int:
        await db.execute("truncate award")
        await db.execute(MANY, number)
        tracemalloc.start()
        size = 0
        async for piece in pieces(lambda after, most: looking.awards(db, after, BEGINNING, None, most), form):
            size += len(piece)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > number * 50
        return most

    await peak(2000)
    assert await peak(40_000) < 1.5 * await peak(4000)
