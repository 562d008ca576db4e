"""Joins, reviews, edits, compares and wishes: sets of objects, last writer wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.state.facts import Stamp
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("activity")

Key = tuple[str, str, str]  # user, kind, object


@dataclass(slots=True)
class Fact:
    """Whether an object is in the set, and which event said so."""

    present: bool
    stamp: Stamp


async def load(connection: Connection, keys: Iterable[Key]) -> dict[Key, Fact]:
    """Objects by user, kind and id."""
    wanted = list(keys)
    rows = await connection.fetch(SQL["load"], *(list(column) for column in zip(*wanted, strict=True)))
    return {
        (row["user_id"], row["kind"], row["object_id"]): Fact(
            row["present"], Stamp(row["changed_at"], row["by_id"], row["by_source"])
        )
        for row in rows
    }


async def save(connection: Connection, objects: Mapping[Key, Fact]) -> None:
    """Write objects, sorted by key."""
    rows = sorted(objects.items(), key=lambda row: row[0])
    if rows:
        await connection.execute(
            SQL["save"],
            [user for (user, _, _), _ in rows],
            [kind for (_, kind, _), _ in rows],
            [object_id for (_, _, object_id), _ in rows],
            [fact.present for _, fact in rows],
            [fact.stamp.time for _, fact in rows],
            [fact.stamp.id for _, fact in rows],
            [fact.stamp.source for _, fact in rows],
        )


async def of_user(connection: Connection, user_id: str) -> dict[tuple[str, str], Fact]:
    """All objects of a user, by kind and id."""
    rows = await connection.fetch(SQL["of_user"], user_id)
    return {
        (row["kind"], row["object_id"]): Fact(row["present"], Stamp(row["changed_at"], row["by_id"], row["by_source"]))
        for row in rows
    }
