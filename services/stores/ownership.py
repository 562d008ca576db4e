"""Copies, owned releases and the counts without a bound, loaded and saved by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.state.collector import Unbounded
from services.state.facts import NOTHING, Facts, Stamp, Statement, facts_of
from services.state.holdings import EMPTY, Copy, Holding
from services.stores import facts
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("ownership")

Key = tuple[str, int]  # user and instance, or user and release


def stamps_out(statement: Statement) -> str | None:
    """Per-field stamps as JSON; None where one stamp holds for all."""
    if statement.stamps is None:
        return None
    return json.dumps({name: [at.time.isoformat(), at.id, at.source] for name, at in statement.stamps.items()})


def statement_in(content: str | None, row: Any) -> Statement:
    """The statement in a row with `stated_at, by_id, by_source, stamps`."""
    if content is None or row["stated_at"] is None:
        return Statement()
    stamps = None
    if row["stamps"] is not None:
        parts = json.loads(row["stamps"])
        stamps = {name: Stamp(datetime.fromisoformat(at), id_, source) for name, (at, id_, source) in parts.items()}
    return Statement(facts_of(content), Stamp(row["stated_at"], row["by_id"], row["by_source"]), stamps)


def _copy(row: Any) -> Copy:
    return Copy(row["release_id"], row["present"], Stamp(row["changed_at"], row["by_id"], row["by_source"]))


def _holding(row: Any) -> Holding:
    counted = None
    if row["copies"]:
        counted = EMPTY if row["counted"] is None else row["counted"].encode()
    return Holding(row["release_id"], row["copies"], counted, statement_in(row["stated"], row))


async def load_copies(connection: Connection, keys: Iterable[Key]) -> dict[Key, Copy]:
    """Copies and tombstones by user and instance."""
    wanted = list(keys)
    rows = await connection.fetch(SQL["load_owned"], [user for user, _ in wanted], [number for _, number in wanted])
    return {(row["user_id"], row["instance_id"]): _copy(row) for row in rows}


async def load_holdings(connection: Connection, keys: Iterable[Key]) -> dict[Key, Holding]:
    """Owned releases by user and release."""
    wanted = list(keys)
    rows = await connection.fetch(SQL["load_releases"], [user for user, _ in wanted], [id_ for _, id_ in wanted])
    return {(row["user_id"], row["release_id"]): _holding(row) for row in rows}


async def load_counts(connection: Connection, keys: Iterable[tuple[str, bytes, int]]) -> dict[str, Unbounded]:
    """Counts of labels and masters, by user."""
    wanted = list(keys)
    found: dict[str, Unbounded] = {}
    if not wanted:
        return found
    rows = await connection.fetch(
        SQL["load_counts"],
        [user for user, _, _ in wanted],
        [facet for _, facet, _ in wanted],
        [value for _, _, value in wanted],
    )
    for row in rows:
        found.setdefault(row["user_id"], {})[row["facet"], row["value"]] = row["n"]
    return found


async def save_copies(connection: Connection, copies: Mapping[Key, Copy]) -> None:
    """Write copies and tombstones, sorted by key."""
    rows = sorted(copies.items())
    if not rows:
        return
    await connection.execute(
        SQL["save_owned"],
        [user for (user, _), _ in rows],
        [instance for (_, instance), _ in rows],
        [copy.release_id for _, copy in rows],
        [copy.present for _, copy in rows],
        [copy.stamp.time for _, copy in rows],
        [copy.stamp.id for _, copy in rows],
        [copy.stamp.source for _, copy in rows],
    )


async def save_holdings(connection: Connection, holdings: Mapping[Key, Holding]) -> None:
    """Write owned releases with the facts they count and state, sorted by key."""
    rows = sorted(holdings.items(), key=lambda row: row[0])
    if not rows:
        return
    stated = [None if one.statement.facts == NOTHING else one.statement.facts.content for _, one in rows]
    counted = [None if one.counted in (None, EMPTY) else one.counted for _, one in rows]
    releases = [release for (_, release), _ in rows]
    ids = await facts.resolve(
        connection,
        {
            (release, content)
            for contents in (stated, counted)
            for release, content in zip(releases, contents, strict=True)
            if content is not None
        },
    )
    stamps = [one.statement.stamp for _, one in rows]
    await connection.execute(
        SQL["save_releases"],
        [user for (user, _), _ in rows],
        releases,
        [one.copies for _, one in rows],
        [
            None if content is None else ids[release, content]
            for release, content in zip(releases, counted, strict=True)
        ],
        [None if content is None else ids[release, content] for release, content in zip(releases, stated, strict=True)],
        [None if stamp is None else stamp.time for stamp in stamps],
        [None if stamp is None else stamp.id for stamp in stamps],
        [None if stamp is None else stamp.source for stamp in stamps],
        [stamps_out(one.statement) for _, one in rows],
    )


async def save_counts(connection: Connection, counts: Mapping[tuple[str, bytes, int], int]) -> None:
    """Write counts of labels and masters, sorted by key."""
    rows = sorted(counts.items())
    if rows:
        await connection.execute(
            SQL["save_counts"],
            [user for (user, _, _), _ in rows],
            [facet for (_, facet, _), _ in rows],
            [value for (_, _, value), _ in rows],
            [number for _, number in rows],
        )


async def oldest(connection: Connection, user_id: str, year: int, but: Iterable[int]) -> dict[int, Facts]:
    """Releases of pressing year `year` that are counted for a user, but for those named."""
    rows = await connection.fetch(SQL["oldest"], user_id, list(but))
    found = {row["release_id"]: facts_of(row["content"]) for row in rows}
    return {release_id: said for release_id, said in found.items() if said.pressing_year() == year}


async def copies_of(connection: Connection, user_id: str) -> dict[int, Copy]:
    """All copies and tombstones of a user, by instance."""
    return {row["instance_id"]: _copy(row) for row in await connection.fetch(SQL["copies_of"], user_id)}


async def holdings_of(connection: Connection, user_id: str) -> dict[int, Holding]:
    """All releases that a user owns or has spoken of."""
    return {row["release_id"]: _holding(row) for row in await connection.fetch(SQL["releases_of"], user_id)}


async def counts_of(connection: Connection, user_id: str) -> Unbounded:
    """All counts of labels and masters of a user; zeros are not counts."""
    rows = await connection.fetch(SQL["counts_of"], user_id)
    return {(row["facet"], row["value"]): row["n"] for row in rows if row["n"]}


async def replace_counts(connection: Connection, user_id: str, counts: Unbounded) -> None:
    """Write all counts of a user anew."""
    await connection.execute(SQL["forget_counts"], user_id)
    await save_counts(connection, {(user_id, facet, value): number for (facet, value), number in counts.items()})
