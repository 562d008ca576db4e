"""All awards as a file, a page at a time in constant memory: CSV for spreadsheets, or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from contracts.times import rfc3339
from services.stores.looking import Row

Format = Literal["csv", "json"]
# What asks for the rows behind one, so many at most.
Ask = Callable[[tuple[str, str, str], int], Awaitable[Sequence[Row]]]

PAGE: Final = 1000
BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
COLUMNS: Final = Row._fields
MEDIA_TYPES: Final[dict[Format, str]] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
# Spreadsheets take text that begins so for a formula, also behind a tab or a carriage return.
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_encode = msgspec.json.Encoder().encode


def cell(value: Any) -> str:
    """A value as a cell: text that a spreadsheet would run begins with an apostrophe."""
    if value is None:
        return ""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case datetime():
            return rfc3339(value)
    text = str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


async def pieces(ask: Ask, form: Format) -> AsyncIterator[bytes]:
    """The file, piece by piece; a JSON array is closed only where it is complete.

    Each page is read by itself: an award that comes in meanwhile is in it or not, by its place.
    """
    after = ("", "", "")
    first = True
    yield _csv([COLUMNS]) if form == "csv" else b"["
    while True:
        rows = await ask(after, PAGE)
        if rows and form == "csv":
            yield _csv([[cell(value) for value in row] for row in rows])
        elif rows:
            yield (b"\n" if first else b",\n") + b",\n".join(_json(row) for row in rows)
        if len(rows) < PAGE:
            break
        first = False
        after = rows[-1][:3]
    if form == "json":
        yield b"\n]\n"


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _json(row: Row) -> bytes:
    return _encode(
        row._asdict()
        | {
            "award_id": str(row.award_id),
            "awarded_at": rfc3339(row.awarded_at),
            "revoked_at": None if row.revoked_at is None else rfc3339(row.revoked_at),
            "evidence": msgspec.Raw(row.evidence.encode()),
        }
    )
