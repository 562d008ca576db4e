"""Copies, owned releases and the counts without a bound, loaded and saved by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.state.collector import Unbounded
from services.state.facts import Facts, Stamp, Statement, facts_of
from services.state.holdings import EMPTY, Copy, Holding
from services.stores import facts
from services.stores.postgres import Connection
from services.stores.queries import rows, statements

SQL = statements("ownership")

Key = tuple[str, int]  # user and instance, or user and release
CountKey = tuple[str, bytes, int]  # user, facet, value


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
    wanted = rows({"user_id": user, "instance_id": instance} for user, instance in keys)
    found = await connection.fetch(SQL["load_owned"], wanted)
    return {(row["user_id"], row["instance_id"]): _copy(row) for row in found}


async def load_holdings(connection: Connection, keys: Iterable[Key]) -> dict[Key, Holding]:
    """Owned releases by user and release."""
    wanted = rows({"user_id": user, "release_id": release} for user, release in keys)
    found = await connection.fetch(SQL["load_releases"], wanted)
    return {(row["user_id"], row["release_id"]): _holding(row) for row in found}


async def load_counts(connection: Connection, keys: Iterable[CountKey]) -> dict[str, Unbounded]:
    """Counts of labels and masters, by user."""
    wanted = rows({"user_id": user, "facet": facet.decode(), "value": value} for user, facet, value in keys)
    found: dict[str, Unbounded] = {}
    for user, facet, value, number in await connection.fetch(SQL["load_counts"], wanted):
        found.setdefault(user, {})[facet, value] = number
    return found


async def save_copies(connection: Connection, copies: Mapping[Key, Copy]) -> None:
    """Write copies and tombstones, sorted by key."""
    if copies:
        await connection.execute(SQL["save_owned"], rows(_owned(key, copies[key]) for key in sorted(copies)))


def _owned(key: Key, copy: Copy) -> dict[str, Any]:
    stamp = copy.stamp
    return {
        "user_id": key[0],
        "instance_id": key[1],
        "release_id": copy.release_id,
        "present": copy.present,
        "changed_at": stamp.time,
        "by_id": stamp.id,
        "by_source": stamp.source,
    }


async def save_holdings(connection: Connection, holdings: Mapping[Key, Holding]) -> None:
    """Write owned releases with the facts they count and state, sorted by key."""
    if not holdings:
        return
    contents: set[facts.Content] = set()
    for (_, release), holding in holdings.items():
        contents.add((release, holding.statement.facts.content))
        contents.add((release, holding.counted or EMPTY))
    # Nothing known has no row; any other content must have one, or what was said would be lost in silence.
    ids: dict[facts.Content, int | None] = dict.fromkeys(one for one in contents if one[1] == EMPTY)
    ids |= await facts.resolve(connection, contents - ids.keys())
    await connection.execute(
        SQL["save_releases"], rows(_owned_release(key, holdings[key], ids) for key in sorted(holdings))
    )


def _owned_release(key: Key, holding: Holding, ids: Mapping[facts.Content, int | None]) -> dict[str, Any]:
    user, release = key
    statement = holding.statement
    stamp = statement.stamp
    row = {
        "user_id": user,
        "release_id": release,
        "copies": holding.copies,
        "facts_id": ids[release, holding.counted or EMPTY],
        "stated_id": ids[release, statement.facts.content],
    }
    if stamp is not None:
        row |= {"stated_at": stamp.time, "by_id": stamp.id, "by_source": stamp.source}
    if statement.stamps is not None:
        row["stamps"] = statement.stamps
    return row


async def save_counts(connection: Connection, counts: Mapping[CountKey, int]) -> None:
    """Write counts of labels and masters, sorted by key."""
    if counts:
        await connection.execute(
            SQL["save_counts"],
            rows(
                {"user_id": key[0], "facet": key[1].decode(), "value": key[2], "n": counts[key]}
                for key in sorted(counts)
            ),
        )


async def oldest(connection: Connection, user_id: str, year: int) -> dict[int, Facts]:
    """Releases of pressing year `year` that are counted for a user, as stored."""
    stored = await connection.fetch(SQL["oldest"], user_id, str(year))
    found = {row["release_id"]: facts_of(row["content"]) for row in stored}
    return {release_id: said for release_id, said in found.items() if said.pressing_year() == year}


async def copies_of(connection: Connection, user_id: str) -> dict[int, Copy]:
    """All copies and tombstones of a user, by instance."""
    return {row["instance_id"]: _copy(row) for row in await connection.fetch(SQL["copies_of"], user_id)}


async def holdings_of(connection: Connection, user_id: str) -> dict[int, Holding]:
    """All releases that a user owns or has spoken of."""
    return {row["release_id"]: _holding(row) for row in await connection.fetch(SQL["releases_of"], user_id)}


async def counts_of(connection: Connection, user_id: str) -> Unbounded:
    """All counts of labels and masters of a user; zeros are not counts."""
    stored = await connection.fetch(SQL["counts_of"], user_id)
    return {(facet, value): number for facet, value, number in stored if number}


async def replace_counts(connection: Connection, user_id: str, counts: Unbounded) -> None:
    """Write all counts of a user anew."""
    await connection.execute(SQL["forget_counts"], user_id)
    await save_counts(connection, {(user_id, facet, value): number for (facet, value), number in counts.items()})
