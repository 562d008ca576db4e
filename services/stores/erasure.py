"""What a deletion takes away, table by table; the recount of what is left belongs to the worker."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from datetime import UTC, datetime

from services.stores import campaigns, graph
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("erasure")


async def forget(connection: Connection, user_id: str, until: datetime) -> None:
    """Delete copies, activity and awards no newer than `until`, shares and messages of them, and dead letters.

    What the graph lane measured goes too: it tells of copies that are gone.
    """
    await connection.execute(SQL["copies"], user_id, until)
    await connection.execute(SQL["activity"], user_id, until)
    await connection.execute(SQL["awards"], user_id, until)
    await connection.execute(SQL["shares"], user_id, until)
    await _forget_messages(connection, user_id)
    await graph.forget(connection, user_id, until)
    await forget_letters(connection, user_id)


async def _forget_messages(connection: Connection, user_id: str) -> None:
    """Delete messages and notices about the user. A campaign's sweep will never be processed: it counts as done."""
    unsent = Tally(campaigns.campaign_in(row["event_id"]) for row in await connection.fetch(SQL["messages"], user_id))
    await campaigns.count(connection, campaigns.GONE, {one: (users, 0) for one, users in unsent.items() if one})
    await campaigns.forget_user(connection, user_id)
    await connection.execute(SQL["notices"], user_id)


async def forget_log(connection: Connection, user_id: str, hash_: bytes, until: datetime) -> None:
    """Take the user out of the log of acts by hand, up to this time; the keyed hash stands in for the id."""
    await connection.execute(SQL["log"], user_id, hash_, until)


async def forget_given(connection: Connection, user_id: str, hash_: bytes) -> None:
    """Delete awards by hand of a user of whom nothing else is left, whenever they were given, and their messages."""
    await connection.execute(SQL["given"], user_id)
    await connection.execute(SQL["shares"], user_id, datetime.max.replace(tzinfo=UTC))
    await _forget_messages(connection, user_id)
    await forget_log(connection, user_id, hash_, datetime.max.replace(tzinfo=UTC))


async def forget_letters(connection: Connection, user_id: str) -> None:
    """Delete every dead letter under the user's key."""
    await connection.execute(SQL["letters"], user_id.encode())


async def forget_releases(connection: Connection, user_id: str, release_ids: Iterable[int]) -> None:
    """Delete rows of releases that the user neither owns nor speaks of."""
    await connection.execute(SQL["releases"], user_id, list(release_ids))
