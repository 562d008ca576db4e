"""SQL is text: named statements in `sql/*.sql`, `-- name: x`, then one line of intent, parameters in `$1` order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()
_NAME = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)


@cache
def statements(subject: str) -> Mapping[str, str]:
    """The statements of one subject, by name.

    Raises:  FileNotFoundError for an unknown subject, ValueError for a name given twice.
    """
    text = (files("services.stores") / "sql" / f"{subject}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    found: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in found:
            raise ValueError(f"sql/{subject}.sql names {name} twice")
        found[name] = body.strip().rstrip(";")
    return MappingProxyType(found)


def rows(items: Iterable[Mapping[str, Any]]) -> str:
    """Rows as one JSON parameter, for `json_to_recordset`: each says only what it has to say."""
    return _ENCODER.encode(list(items)).decode()


def columns(items: Iterable[Sequence[Any]]) -> list[str]:
    """Rows of one shape, at least one, as a parameter for each column: `unnest($1::text::bigint[], …)`.

    Shape:   what JSON has a scalar for, and times; an array within is the text of one.
    """
    return [column(values) for values in zip(*items, strict=True)]


def column(values: Sequence[Any]) -> str:
    """The text of a PostgreSQL array, written as JSON: both quote and separate alike, and C writes JSON.

    They escape control characters differently, so values with an escape are quoted one by one.
    """
    text = _ENCODER.encode(values)
    if b"\\" in text:
        return f"{{{','.join(_element(one) for one in values)}}}"
    return f"{{{text[1:-1].decode()}}}"


def document(value: Any) -> str:
    """One JSON value as text, for a column that holds JSON."""
    return _ENCODER.encode(value).decode()


def _element(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return _ENCODER.encode(value).decode()


def subjects() -> list[str]:
    """Every subject there is, for the test that prepares all statements."""
    folder = files("services.stores") / "sql"
    return sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql"))
