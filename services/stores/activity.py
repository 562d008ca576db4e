"""Joins, reviews, edits, compares and wishes: sets of objects, last writer wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.state.facts import Stamp
from services.stores.postgres import Connection
from services.stores.queries import rows, statements

SQL = statements("activity")

Key = tuple[str, str, str]  # user, kind, object


@dataclass(slots=True)
class Fact:
    """Whether an object is in the set, and which event said so."""

    present: bool
    stamp: Stamp


async def load(connection: Connection, keys: Iterable[Key]) -> dict[Key, Fact]:
    """Objects by user, kind and id."""
    wanted = rows({"user_id": user, "kind": kind, "object_id": object_id} for user, kind, object_id in keys)
    return {
        (row["user_id"], row["kind"], row["object_id"]): _fact(row)
        for row in await connection.fetch(SQL["load"], wanted)
    }


async def save(connection: Connection, objects: Mapping[Key, Fact]) -> None:
    """Write objects, sorted by key."""
    if objects:
        await connection.execute(SQL["save"], rows(_row(key, objects[key]) for key in sorted(objects)))


def _row(key: Key, fact: Fact) -> dict[str, Any]:
    return {
        "user_id": key[0],
        "kind": key[1],
        "object_id": key[2],
        "present": fact.present,
        "changed_at": fact.stamp.time,
        "by_id": fact.stamp.id,
        "by_source": fact.stamp.source,
    }


def _fact(row: Any) -> Fact:
    return Fact(row["present"], Stamp(row["changed_at"], row["by_id"], row["by_source"]))


async def of_each(connection: Connection, user_ids: Sequence[str]) -> dict[str, dict[tuple[str, str], Fact]]:
    """All objects of users, by kind and id."""
    found: dict[str, dict[tuple[str, str], Fact]] = {user: {} for user in user_ids}
    for row in await connection.fetch(SQL["of_each"], user_ids):
        found[row["user_id"]][row["kind"], row["object_id"]] = _fact(row)
    return found
