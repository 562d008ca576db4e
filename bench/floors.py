"""The two floors: the same row changes as bare SQL, and the raw records by COPY, both bundle by bundle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from bench.changes import Change, is_array
from bench.load import TOPIC, Sample
from services.stores.postgres import Connection

RAW: Final = """
create table raw (
    topic text not null, partition integer not null, "offset" bigint not null,
    key bytea, value bytea, recorded_at timestamptz not null,
    primary key (topic, partition, "offset")
)
"""
RAW_COLUMNS: Final = ("topic", "partition", "offset", "key", "value", "recorded_at")

Statement = tuple[str, list[Sequence[Any]]]


def prepare_sql(changes: Sequence[Change]) -> list[Statement]:
    """One bundle as statements with all their arguments: at most one insert and one update of each table."""
    statements: list[Statement] = []
    for change in changes:
        for sql, rows in ((change.table.insert(), change.inserted), (change.table.update(), change.updated)):
            if rows:
                columns = zip(change.table.types, zip(*rows, strict=True), strict=True)
                statements.append(
                    (sql, [_texts(column) if is_array(kind) else list(column) for kind, column in columns])
                )
    return statements


def _texts(column: Sequence[Sequence[int] | None]) -> list[str | None]:
    """Arrays of numbers as PostgreSQL writes them."""
    return [None if one is None else f"{{{','.join(map(str, one))}}}" for one in column]


async def run_sql(connection: Connection, bundles: Sequence[Sequence[Statement]]) -> list[float]:
    """Write each bundle in one transaction; answers the time after each commit, and first that of the beginning."""
    marks = [time.perf_counter()]
    for bundle in bundles:
        async with connection.transaction():
            for sql, arguments in bundle:
                await connection.execute(sql, *arguments)
        marks.append(time.perf_counter())
    return marks


def prepare_copy(partition: int, records: Sequence[Sample]) -> list[tuple[Any, ...]]:
    """One bundle as raw rows."""
    from datetime import UTC, datetime

    return [
        (TOPIC, partition, one.offset, one.key, one.value, datetime.fromtimestamp(one.timestamp / 1000, UTC))
        for one in records
    ]


async def run_copy(connection: Connection, bundles: Sequence[Sequence[tuple[Any, ...]]]) -> list[float]:
    """Copy each bundle in one transaction; answers the time after each commit, and first that of the beginning."""
    await connection.execute(RAW)
    marks = [time.perf_counter()]
    for bundle in bundles:
        await connection.copy_records_to_table("raw", records=bundle, columns=RAW_COLUMNS)
        marks.append(time.perf_counter())
    return marks
