"""What was asked: a badge, what it is to be earned for, and where the page begins."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, NamedTuple

from catalog.definition import BadgeDefinition
from contracts.ids import MAX_ID
from services import cursors
from services.cursors import NoMark
from services.stores.missing import Mark

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
        mark = cursors.mark_of(cursor, Mark)
        if abs(mark.id) > MAX_ID or (mark.at is not None and not _AT.fullmatch(mark.at)):
            raise NoMark
    except NoMark as error:
        raise Unfit("cursor", str(error)) from error
    return mark


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
