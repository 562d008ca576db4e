"""Rows go to PostgreSQL as the texts of arrays: whatever a value holds arrives as it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.stores.postgres import Connection
from services.stores.queries import column, columns

NASTY = [
    "",
    "NULL",
    "null",
    "{}",
    'a "b" c',
    "back\\slash",
    '\\"',
    "tab\tline\nfeed\r",
    "comma, {brace}",
    " x ",
    "ä ✓ 𝄞",
]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", [*NASTY, None]),
        ("text", ["plain", None, "also"]),
        ("text", []),
        ("bigint", [0, -(2**63), 2**63 - 1, None]),
        ("boolean", [True, False, None]),
        ("date", [date(1, 1, 1), date(9999, 12, 31), None]),
        ("timestamptz", [datetime(2024, 2, 29, 12, 0, 0, 123456, UTC), datetime(1970, 1, 1, tzinfo=UTC), None]),
    ],
)
async def test_a_column_arrives_as_it_was(connection: Connection, kind: str, values: list[Any]) -> None:
    assert await connection.fetchval(f"select $1::text::{kind}[]", column(values)) == values


async def test_rows_become_columns(connection: Connection) -> None:
    rows = [("ann", 1, None), ("b\\ob", 2, date(2020, 1, 1))]
    query = "select * from unnest($1::text::text[], $2::text::bigint[], $3::text::date[])"
    assert [tuple(row) for row in await connection.fetch(query, *columns(rows))] == rows


text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=st.lists(st.none() | text))
async def test_any_text_arrives(connection: Connection, values: list[str | None]) -> None:
    assert await connection.fetchval("select $1::text::text[]", column(values)) == values
