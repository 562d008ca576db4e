"""SQL is text: named statements in `sql/*.sql`, `-- name: x`, then one line of intent, parameters in `$1` order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    """Rows as one JSON parameter, for `json_to_recordset`: an array per column takes the client six times as long."""
    return _ENCODER.encode(list(items)).decode()


def subjects() -> list[str]:
    """Every subject there is, for the test that prepares all statements."""
    folder = files("services.stores") / "sql"
    return sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql"))
