"""What the notifier has read, what it has to deliver, and what it could not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("notices")


class Told(NamedTuple):
    """A message that is to be told: its CloudEvents id, its user, its data as it came."""

    event_id: str
    user_id: str
    value: bytes


class Claimed(NamedTuple):
    """A notice that is ours for now; `awards` never changes between attempts."""

    notice_id: UUID
    user_id: str
    opened_at: datetime
    attempts: int
    awards: list[Told]


class Dead(NamedTuple):
    """A notice on the dead list, and how many there are in all."""

    notice_id: UUID
    user_id: str
    opened_at: datetime
    settled_at: datetime
    attempts: int
    reason: str
    total: int
    awards: int


class Waiting(NamedTuple):
    """Notices that wait, for how long the oldest has been due, and notices on the dead list."""

    waiting: int
    oldest_seconds: float
    dead: int


async def gather(connection: Connection, messages: Sequence[Told], *, quiet: float, patience: float) -> int:
    """Add messages to their users' open notices; answers how many were new. In a transaction of the caller's.

    Units:   seconds without news after which a notice closes, and at the latest.
    """
    rows = await connection.fetch(SQL["known"], [one.event_id for one in messages])
    known = {row["event_id"] for row in rows}
    new = [one for one in {one.event_id: one for one in messages}.values() if one.event_id not in known]
    if not new:
        return 0
    opened = await connection.fetch(SQL["gather"], [one.user_id for one in new], quiet, patience)
    notices = {row["user_id"]: row["notice_id"] for row in opened}
    await connection.execute(
        SQL["add"],
        [one.event_id for one in new],
        [one.user_id for one in new],
        [notices[one.user_id] for one in new],
        [one.value for one in new],
    )
    return len(new)


async def claim(connection: Connection, limit: int, *, lease: float) -> list[Claimed]:
    """Notices that are due, the longest due first; for so many seconds nobody else is given them."""
    async with connection.transaction():
        rows = await connection.fetch(SQL["claim"], limit, lease)
        if closed := [row["notice_id"] for row in rows if row["closed_now"]]:
            await connection.execute(SQL["leave_out"], closed)
        awards: dict[UUID, list[Told]] = {row["notice_id"]: [] for row in rows}
        users = {row["notice_id"]: row["user_id"] for row in rows}
        for row in await connection.fetch(SQL["awards"], list(awards)) if awards else ():
            awards[row["notice_id"]].append(Told(row["event_id"], users[row["notice_id"]], row["value"]))
    return [
        Claimed(row["notice_id"], row["user_id"], row["opened_at"], row["attempts"], awards[row["notice_id"]])
        for row in rows
    ]


async def sent(connection: Connection, notice_id: UUID) -> None:
    """The notice is delivered."""
    await connection.execute(SQL["sent"], notice_id)


async def later(connection: Connection, notice_id: UUID, seconds: float, reason: str) -> None:
    """The notice is to be tried again after so many seconds."""
    await connection.execute(SQL["later"], notice_id, seconds, reason)


async def dead(connection: Connection, notice_id: UUID, reason: str) -> None:
    """The notice goes to the dead list."""
    await connection.execute(SQL["dead"], notice_id, reason)


async def list_dead(connection: Connection, limit: int | None) -> list[Dead]:
    """The newest of the dead list, or all of it."""
    return [Dead(**row) for row in await connection.fetch(SQL["list_dead"], limit)]


async def redrive(connection: Connection, notice_id: UUID | None) -> list[UUID]:
    """Make a dead notice due once more, or all of them; answers which."""
    return [row["notice_id"] for row in await connection.fetch(SQL["redrive"], notice_id)]


async def waiting(connection: Connection) -> Waiting:
    """How much waits and how much is dead."""
    row = await connection.fetchrow(SQL["waiting"])
    assert row is not None
    return Waiting(**row)


async def prune(connection: Connection, days: float, limit: int) -> None:
    """Forget notices that were delivered so long ago, so many at a time."""
    await connection.execute(SQL["prune"], days, limit)
