"""A catalogue and collections written by SQL: what loads and workers would have written."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg

from services.state.counts import Counts

Db: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Ask: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AS_OF = date(2026, 11, 1)


async def release(
    db: Db,
    id_: int,
    title: str | None = None,
    issued: str | None = None,
    *,
    master: int | None = None,
    labels: Iterable[int] = (),
    artists: Iterable[int] = (),
    **said: Any,
) -> None:
    """A release of the catalogue; `said` are further facts of it."""
    content = {"title": title} if title is not None else {}
    facts_id = await db.fetchval(
        "insert into facts (release_id, digest, content) values ($1, $2, $3) returning facts_id",
        id_,
        uuid4().bytes,
        json.dumps(content | said),
    )
    await db.execute(
        "insert into release (release_id, facts_id, stated_at, by_id, by_source, master_id, issued)"
        " values ($1, $2, $3, 'd', '/dump', $4, $5)",
        *(id_, facts_id, NOW, master, issued),
    )
    for table, parents in (("release_label", labels), ("release_artist", artists)):
        await db.executemany(f"insert into {table} values ($1, $2)", [(one, id_) for one in set(parents)])  # noqa: S608


async def total(db: Db, kind: str, id_: int, name: str | None, number: int | None, year: int | None = None) -> None:
    """A label, artist or master with its size."""
    if name is not None:
        columns = "master_id, title, year" if kind == "master" else f"{kind}_id, name"
        row = (id_, name, year) if kind == "master" else (id_, name)
        places = ", ".join(f"${at}" for at in range(1, len(row) + 1))
        await db.execute(f"insert into {kind} ({columns}) values ({places})", *row)  # noqa: S608
    if number is not None:
        await db.execute("insert into catalogue_total values ($1, $2, $3, $4)", kind, id_, number, AS_OF)


async def own(db: Db, user: str, *ids: int, copies: int = 1) -> None:
    """Releases that a user owns, or with `copies` 0 owned once."""
    await db.executemany(
        "insert into owned_release (user_id, release_id, copies) values ($1, $2, $3)",
        [(user, id_, copies) for id_ in ids],
    )


async def counted(db: Db, user: str, facet: str, value: int, n: int) -> None:
    """What the worker has counted of a label (l), an artist (a) or a master (m)."""
    await db.execute("insert into facet_count (user_id, facet, value, n) values ($1, $2, $3, $4)",
                     user, facet.encode(), value, n)  # fmt: skip


async def collector(
    db: Db,
    user: str,
    facets: dict[tuple[str, str], int] | None = None,
    years: dict[int, int] | None = None,
    **counts: Any,
) -> None:
    """A collector's row: counts by (facet, value) and by year, and counters as given."""
    packed, by_year = Counts(), Counts()
    for (facet, value), number in (facets or {}).items():
        packed.add(await facet_value(db, facet, value), number)
    for year, number in (years or {}).items():
        by_year.add(year, number)
    row = {"user_id": user, "facets": packed.pack(), "years": by_year.pack(), **counts}
    places = ", ".join(f"${at}" for at in range(1, len(row) + 1))
    await db.execute(f"insert into collector ({', '.join(row)}) values ({places})", *row.values())  # noqa: S608


async def facet_value(db: Db, facet: str, value: str) -> int:
    """The id of a value, which is made known."""
    await db.execute("insert into facet_value (facet, value) values ($1, $2) on conflict do nothing", facet, value)
    id_: int = await db.fetchval("select id from facet_value where facet = $1 and value = $2", facet, value)
    return id_


async def pages(ask: Ask, badge: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    """All entries, page after page, each of them full but the last."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        body = await ask(badge, limit=limit, **query, **cursor)
        assert body["missing"] or not cursor
        found += body["missing"]
        assert len(found) < 1_000, "the pages go round in a circle"
        if body["next_cursor"] is None:
            return found
        assert len(body["missing"]) == limit
        cursor = {"cursor": body["next_cursor"]}


async def warp(db: Db, user: str) -> None:
    """A label of 243 releases of which the user owns 90, and the catalogue names seven."""
    await total(db, "label", 23528, "Warp Records", 243)
    for id_, title, issued, said in (
        (11, "Artificial Intelligence", "1992-07-06", {}),
        (12, "Undated", None, {}),
        (13, "Track With No Name", "1989", {}),
        (14, "Dextrous", "1989-12", {}),
        (15, "Testone", "1989", {}),
        (16, None, None, {"year": 1990}),
        (17, "Owned", "1988", {}),
    ):
        await release(db, id_, title, issued, labels=[23528, 1], **said)
    await release(db, 99, "Of another label", "1950", labels=[1])
    await own(db, user, 17)
    await own(db, user, 13, copies=0)
    await counted(db, user, "l", 23528, 90)
