"""Records that could not be accepted: kept whole, shown as `event.rejected`, published again on request."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from contracts.envelope import rfc3339
from contracts.events.rejection import Stage, describe_rejection
from services.stores.postgres import Connection
from services.stores.queries import statements

Position = tuple[str, int, int]
# A value may have megabytes: few at a time.
PREFETCH = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the record as it came, its place in the log (unprefixed topic), and what was wrong.

    Units:   `recorded_at` is the record's own timestamp, `seen_at` when it was refused.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    recorded_at: datetime
    stage: Stage
    reason: str
    seen_at: datetime
    redriven_at: datetime | None = None


def rejected_data(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    stage: Stage,
    reason: str,
    seen_at: datetime,
) -> bytes:
    """The data of `event.rejected`, as the worker publishes it and `dead-letters list --json` prints it."""
    message = describe_rejection(
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        value=value,
        stage=stage,
        reason=reason,
        seen_at=seen_at,
    )
    return message.model_dump_json().encode()


def headers_to_json(headers: Sequence[tuple[str, bytes | None]]) -> str:
    """Headers as the column keeps them: [[name, base64 or null], …] in their order."""
    return json.dumps([[name, None if raw is None else base64.b64encode(raw).decode()] for name, raw in headers])


def headers_from_json(text: str) -> list[tuple[str, bytes | None]]:
    """The inverse of `headers_to_json`."""
    return [(name, None if raw is None else base64.b64decode(raw)) for name, raw in json.loads(text)]


async def record_letters(connection: Connection, letters: Sequence[Letter]) -> None:
    """Keep these letters, in the transaction that moves the ledger over them."""
    await connection.execute(
        statements("dead_letters")["record_letters"],
        [letter.topic for letter in letters],
        [letter.partition for letter in letters],
        [letter.offset for letter in letters],
        [letter.key for letter in letters],
        [letter.value for letter in letters],
        [headers_to_json(letter.headers) for letter in letters],
        [letter.recorded_at for letter in letters],
        [letter.stage for letter in letters],
        [letter.reason for letter in letters],
        [letter.seen_at for letter in letters],
    )


async def list_letters(connection: Connection) -> AsyncIterator[bytes]:
    """Every letter as `event.rejected` data, in the order of the log; needs a transaction.

    Shape:   a letter that was published again has `redriven_at` besides.
    """
    async for row in connection.cursor(statements("dead_letters")["list_letters"], prefetch=PREFETCH):
        data = rejected_data(
            row["topic"],
            row["partition"],
            row["offset"],
            row["key"],
            row["value"],
            row["stage"],
            row["reason"],
            row["seen_at"],
        )
        again = row["redriven_at"]
        yield data if again is None else data[:-1] + b',"redriven_at":"%b"}' % rfc3339(again).encode()


async def page_of_letters(connection: Connection, limit: int) -> list[Record]:
    """The newest letters for people, without their values."""
    return list(await connection.fetch(statements("dead_letters")["page_of_letters"], limit))


async def load_letter(connection: Connection, position: Position) -> Letter | None:
    """The letter at a position of the log."""
    row = await connection.fetchrow(statements("dead_letters")["letter"], *position)
    if row is None:
        return None
    return Letter(**(dict(row) | {"headers": headers_from_json(row["headers"])}))


async def letters_to_redrive(
    connection: Connection, topic: str | None, partition: int | None, offset: int | None, *, again: bool
) -> list[Position]:
    """Where the letters lie that are due for another try; with `again` also those that had one."""
    rows = await connection.fetch(statements("dead_letters")["letters_to_redrive"], topic, partition, offset, again)
    return [(row["topic"], row["partition"], row["offset"]) for row in rows]


async def mark_redriven(connection: Connection, positions: Sequence[Position]) -> None:
    """Remember that these letters were published again."""
    await connection.execute(
        statements("dead_letters")["mark_redriven"],
        [topic for topic, _, _ in positions],
        [partition for _, partition, _ in positions],
        [offset for _, _, offset in positions],
    )
