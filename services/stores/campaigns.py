"""Campaigns: how each stands, what of it is sent, done, given and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

import msgspec

from services.stores import awards
from services.stores.awards import Message, Name
from services.stores.ledger import CAMPAIGN_LOCK
from services.stores.postgres import Connection
from services.stores.queries import rows, statements

SQL = statements("campaigns")
GONE: Final = -1  # the partition under which users count who were deleted before their sweep was published
PREFIX: Final = "campaign:"
MOST: Final = 1000

Scope = Literal["user", "badge", "trigger", "family", "all"]
Notify = Literal["none", "digest", "normal"]
State = Literal["running", "paused", "cancelled", "done", "rolling_back", "rolled_back"]


class Campaign(NamedTuple):
    """A campaign as it stands.

    Shape:   `users` is how many there were when it started, `sent` how many sweeps are written, `done` how many are
             evaluated; `awards` were given by it, `standing` of them are still its own.
    """

    campaign_id: str
    scope: Scope
    value: str
    badge_keys: Sequence[str]
    notify: Notify
    rate: float
    state: State
    users: int
    sent: int
    done: int
    awards: int
    standing: int
    started_by: str
    reason: str
    started_at: datetime
    resumed_at: datetime
    done_before: int
    finished_at: datetime | None
    rolled_back_by: str | None
    rollback_reason: str | None
    rollback_at: datetime | None


class Giving(NamedTuple):
    """A campaign whose sweeps give awards, and all that some users hold by now."""

    campaign_id: str
    badge_keys: tuple[str, ...]
    notify: Notify
    held: set[Name]


class Unfinished(NamedTuple):
    """A campaign that the relay works on."""

    campaign_id: str
    state: State
    rate: float
    sent: int
    complete: bool
    done: int


# -- acts -------------------------------------------------------------------------------------------------------------


async def lock(connection: Connection) -> None:
    """Let this transaction write, and nobody else evaluate for a campaign or change one."""
    await connection.execute(SQL["writing"])
    await connection.execute(SQL["lock"], CAMPAIGN_LOCK)


async def add(
    connection: Connection,
    campaign_id: str,
    scope: Scope,
    value: str,
    badge_keys: Sequence[str],
    notify: Notify,
    rate: float,
    users: int,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Begin a campaign."""
    await connection.execute(SQL["add"], campaign_id, scope, value, badge_keys, notify, rate, users, by, reason, now)
    await connection.execute(SQL["add_cursor"], campaign_id)


async def overlapping(connection: Connection, badge_keys: Sequence[str], scope: Scope, value: str) -> str | None:
    """An unfinished campaign that may give one of these badges to one of the same users."""
    found: str | None = await connection.fetchval(SQL["overlapping"], badge_keys, scope, value)
    return found


async def knows(connection: Connection, user_id: str) -> bool:
    """Whether there is such a user."""
    return bool(await connection.fetchval(SQL["knows"], user_id))


async def show(connection: Connection, campaign_id: str | None = None, limit: int = MOST) -> list[Campaign]:
    """One campaign (none where there is no such), or all of them, the newest first."""
    return [Campaign(*row) for row in await connection.fetch(SQL["show"], campaign_id, limit)]


async def state_of(connection: Connection, campaign_id: str) -> tuple[State, int] | None:
    """Where a campaign stands and how many users are done; None where there is no such."""
    row = await connection.fetchrow(SQL["state_of"], campaign_id)
    return None if row is None else (row["state"], row["done"])


async def pause(connection: Connection, campaign_id: str) -> None:
    """Send no more for now."""
    await connection.execute(SQL["pause"], campaign_id)


async def resume(connection: Connection, campaign_id: str, now: datetime, done: int) -> None:
    """Go on; so many users are done by now."""
    await connection.execute(SQL["resume"], campaign_id, now, done)


async def cancel(connection: Connection, campaign_id: str, now: datetime) -> None:
    """Send no more and give no more."""
    await connection.execute(SQL["cancel"], campaign_id, now)


async def roll_back(connection: Connection, campaign_id: str, now: datetime, by: str, reason: str) -> None:
    """Take back what it gave, in pages."""
    await connection.execute(SQL["roll_back"], campaign_id, now, by, reason)


async def to_take_back(connection: Connection, campaign_id: str) -> tuple[int, int]:
    """What a rollback would revoke: awards, and users who have them."""
    row = await connection.fetchrow(SQL["to_take_back"], campaign_id)
    assert row is not None
    return row["awards"], row["users"]


# -- the worker's ------------------------------------------------------------------------------------------------------


async def giving(connection: Connection, ids: Iterable[str], users: Sequence[str]) -> list[Giving]:
    """Those of these campaigns that give awards, with what these users hold; call it under the ledger's lock.

    Shape:   awards that were revoked and those in the shadow are held as well.
    """
    return [
        Giving(name, tuple(badge_keys), notify, set(zip(*held, strict=True)) if held[0] else set())
        for name, badge_keys, notify, *held in await connection.fetch(SQL["giving"], users, sorted(ids))
    ]


async def count(connection: Connection, partition: int, done: Mapping[str, tuple[int, int]]) -> None:
    """Count users and awards as done, by campaign; a campaign that is not known has no count."""
    if done:
        await connection.execute(
            SQL["count"],
            rows({"campaign_id": one, "users": users, "awards": given} for one, (users, given) in done.items()),
            partition,
        )


async def forget_user(connection: Connection, user_id: str) -> None:
    """A deletion leaves no name in a campaign that was for this user alone."""
    await connection.execute(SQL["forget_user"], user_id)


async def measured_at(connection: Connection, user_ids: Sequence[str]) -> dict[str, datetime]:
    """The time of the sync for which each user's graph was last measured."""
    return {row["user_id"]: row["event_time"] for row in await connection.fetch(SQL["measured_at"], user_ids)}


def sweep(campaign_id: str, user: str, time: datetime) -> Message:
    """The sweep of one user; the same for every delivery."""
    data = msgspec.json.encode({"campaign_id": campaign_id})
    return Message("cron.sweep", user, f"{PREFIX}{campaign_id}:{user}", time, data)


def campaign_in(event_id: str) -> str | None:
    """The campaign that a sweep of this id belongs to."""
    return event_id.split(":")[1] if event_id.startswith(PREFIX) and event_id.count(":") > 1 else None


# -- the relay's -------------------------------------------------------------------------------------------------------


async def unfinished(connection: Connection) -> list[Unfinished]:
    """What there is to work on, the oldest first."""
    return [Unfinished(*row) for row in await connection.fetch(SQL["unfinished"])]


async def send(connection: Connection, campaign_id: str, page: int) -> int:
    """Write the sweeps of the next `page` users, and move the cursor in the same transaction; answers how many."""
    async with connection.transaction():
        row = await connection.fetchrow(SQL["next"], campaign_id)
        if row is None:
            return 0
        if row["scope"] == "user":
            users, complete = ([row["scope_value"]] if row["scope_value"] else []), True
        else:
            users = [one["user_id"] for one in await connection.fetch(SQL["users"], row["told_until"], page)]
            complete = len(users) < page
        await awards.publish(connection, [sweep(campaign_id, user, row["started_at"]) for user in users])
        until = "" if complete else users[-1]
        await connection.execute(SQL["sent"], campaign_id, until, len(users), complete)
        return len(users)


async def finish(connection: Connection, campaign_id: str) -> bool:
    """Everybody is done; whether that is news."""
    return await connection.fetchval(SQL["done"], campaign_id, datetime.now(UTC)) is not None


async def take_back(connection: Connection, campaign_id: str, page: int) -> int:
    """Revoke the next `page` of its awards, each told on badge.revoked where it was shown; 0 ends the rollback."""
    async with connection.transaction():
        found = await connection.fetch(SQL["standing"], campaign_id, page)
        if not found:
            await connection.execute(SQL["rolled_back"], campaign_id, datetime.now(UTC))
            return 0
        names: list[Name] = [(row["user_id"], row["badge_key"], row["context"]) for row in found]
        at, by, reason = found[0]["rollback_at"], found[0]["rolled_back_by"], found[0]["rollback_reason"]
        await connection.execute(SQL["revoke"], *(list(column) for column in zip(*names, strict=True)), at)
        told = [
            awards.revoked(name, row["award_id"], row["revision"], at, by=by, reason=reason)
            for name, row in zip(names, found, strict=True)
            if not row["shadow"]
        ]
        await awards.publish(connection, told)
        return len(found)
