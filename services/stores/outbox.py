"""Messages that wait for Kafka, and the count of badge holders that the relay keeps beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.stores.postgres import Connection
from services.stores.queries import statements

# Whoever writes in pages lets no more wait than these: messages that somebody else waits for stand behind them.
MOST_WAITING: Final = 2000
LEADER_LOCK = 0x67617465_72656C79  # a constant of our own: who holds it publishes


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the outbox: an event's data, ready to publish under its unprefixed topic."""

    id: int
    topic: str
    subject: str
    event_id: str
    time: datetime
    value: bytes


@dataclass(frozen=True, slots=True)
class OutboxGauges:
    """How the outbox stands."""

    unsent: int
    failed: int
    oldest_seconds: float


async def try_lead(connection: Connection) -> bool:
    """Whether this connection now holds, or held already, the lock of the one publishing relay."""
    return bool(await connection.fetchval(statements("outbox")["try_lead"], LEADER_LOCK))


async def next_messages(connection: Connection, limit: int) -> list[Message]:
    """The oldest messages that wait, in order."""
    return [Message(*row) for row in await connection.fetch(statements("outbox")["next_messages"], limit)]


async def delete_messages(connection: Connection, ids: Sequence[int]) -> None:
    """Forget messages that Kafka has acknowledged."""
    await connection.execute(statements("outbox")["delete_messages"], ids)


async def mark_failed(connection: Connection, refused: Sequence[tuple[int, str]]) -> None:
    """Put messages aside that Kafka refuses for good: (id, what Kafka said)."""
    await connection.execute(
        statements("outbox")["mark_failed"], [number for number, _ in refused], [error for _, error in refused]
    )


async def load_gauges(connection: Connection) -> OutboxGauges:
    """How much waits and for how long."""
    row = await connection.fetchrow(statements("outbox")["outbox_gauges"])
    assert row is not None
    return OutboxGauges(*row)


async def crowded(connection: Connection) -> bool:
    """Whether a next page has to wait until more is published."""
    return bool(await connection.fetchval(statements("outbox")["crowded"], MOST_WAITING))


async def count_holders(connection: Connection) -> None:
    """Count anew how many collectors hold each badge."""
    await connection.execute(statements("outbox")["count_holders"])
