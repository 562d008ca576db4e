"""Joins, reviews, edits, compares and wishes: sets of objects, last writer wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.state.facts import Stamp
from services.stores.postgres import Connection
from services.stores.queries import columns, statements

SQL = statements("activity")

Key = tuple[str, str, str]  # user, kind, object


@dataclass(slots=True)
class Fact:
    """Whether an object is in the set, and which event said so."""

    present: bool
    stamp: Stamp


async def load(connection: Connection, keys: Iterable[Key]) -> dict[Key, Fact]:
    """Objects by user, kind and id, at least one."""
    found = await connection.fetch(SQL["load"], *columns(sorted(keys)))
    return {(row["user_id"], row["kind"], row["object_id"]): _fact(row) for row in found}


async def save(connection: Connection, objects: Mapping[Key, Fact]) -> None:
    """Write objects, sorted by key."""
    if objects:
        found = [(*key, one.present, *one.stamp) for key, one in sorted(objects.items())]
        await connection.execute(SQL["save"], *columns(found))


def _fact(row: Any) -> Fact:
    return Fact(row["present"], Stamp(row["changed_at"], row["by_id"], row["by_source"]))


async def of_each(connection: Connection, user_ids: Sequence[str]) -> dict[str, dict[tuple[str, str], Fact]]:
    """All objects of users, by kind and id."""
    found: dict[str, dict[tuple[str, str], Fact]] = {user: {} for user in user_ids}
    for row in await connection.fetch(SQL["of_each"], user_ids):
        found[row["user_id"]][row["kind"], row["object_id"]] = _fact(row)
    return found
