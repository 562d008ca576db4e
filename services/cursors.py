"""Cursors: where a page goes on, as text that is nobody's business."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class NoMark(ValueError):
    """Not a cursor that we gave."""

    def __init__(self) -> None:
        super().__init__("not a cursor that we gave")


def cursor_of(mark: msgspec.Struct) -> str:
    """The mark as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode().rstrip("=")


def mark_of(cursor: str, kind: type[T]) -> T:
    """The mark that `cursor_of` wrote.

    Raises:  NoMark for anything else.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark: T = _decoder(kind).decode(raw)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise NoMark from error
    if not all(_storable(getattr(mark, name)) for name in mark.__struct_fields__):
        raise NoMark
    return mark


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


def _storable(value: object) -> bool:
    """Whether PostgreSQL takes it where a cursor of ours has it."""
    if isinstance(value, datetime):
        try:
            return value.tzinfo is not None and value.astimezone(UTC) is not None
        except OverflowError:
            return False
    return not (isinstance(value, str) and "\0" in value)
