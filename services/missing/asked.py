"""What was asked: a badge, what it is to be earned for, and where the page begins."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from catalog.definition import BadgeDefinition
from contracts.ids import MAX_ID
from services.stores.missing import Mark

_MARK: Final = msgspec.json.Decoder(Mark)
_AT: Final = re.compile(r"[0-9:-]{1,16}")
_ID: Final = re.compile(r"[1-9][0-9]{0,18}")


class Unfit(ValueError):
    """A parameter does not fit the badge; `parameter` says which."""

    def __init__(self, parameter: str, why: str) -> None:
        self.parameter = parameter
        super().__init__(why)


class Asked(NamedTuple):
    """What is missing for which badge: `context` '' is the nearest one; a page of `limit` entries behind `after`."""

    badge: BadgeDefinition
    context: str
    limit: int
    after: Mark | None
    now: datetime


def mark_of(cursor: str) -> Mark:
    """The mark that an answer's `next_cursor` wrote.

    Raises:  Unfit for anything else.
    """
    try:
        mark = _MARK.decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise Unfit("cursor", "not a cursor that we gave") from error
    if abs(mark.id) > MAX_ID or (mark.at is not None and not _AT.fullmatch(mark.at)):
        raise Unfit("cursor", "not a cursor that we gave")
    return mark


def cursor_of(mark: Mark) -> str:
    """The mark as text that is nobody's business."""
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode().rstrip("=")


def fitting(asked: Asked) -> str:
    """The context that is asked for, or the one for which the list was begun."""
    badge, context, after = asked.badge, asked.context, asked.after
    if context and not badge.context_kind:
        raise Unfit("context", f"{badge.key} has no contexts")
    if context and not is_context(badge, context):
        raise Unfit("context", f"{badge.key} is earned for a {badge.context_kind}: {badge.context_kind}:<id>")
    if after is None:
        return context
    if after.context != (context or after.context) or bool(after.context) != bool(badge.context_kind):
        raise Unfit("cursor", "a cursor of another list")
    if after.context and not (is_context(badge, after.context) and after.at is not None):
        raise Unfit("cursor", "a cursor of another list")
    return after.context


def is_context(badge: BadgeDefinition, context: str) -> bool:
    """Whether the badge can be earned for this: `<kind>:<id>` of its kind."""
    kind, _, id_ = context.partition(":")
    return kind == badge.context_kind and _ID.fullmatch(id_) is not None and int(id_) <= MAX_ID
