"""Alarms that stand or stood, as the command and the api show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.times import rfc3339
from services.cursors import cursor_of
from services.stores import alarms
from services.stores.alarms import AlarmMark
from services.stores.postgres import Connection


async def listed(connection: Connection, mark: AlarmMark, limit: int, *, ended: bool) -> dict[str, Any]:
    """A page of alarms, the newest first: those that stand, or with `ended` all."""
    found = await alarms.page(connection, mark, limit + 1, ended=ended)
    shown = [
        one._asdict()
        | {
            "raised_at": _time(one.raised_at),
            "seen_at": _time(one.seen_at),
            "ended_at": None if one.ended_at is None else _time(one.ended_at),
            "facts": msgspec.json.decode(one.facts),
        }
        for one in found[:limit]
    ]
    if len(found) <= limit:
        return {"alarms": shown, "next_cursor": None}
    last = found[limit - 1]
    return {"alarms": shown, "next_cursor": cursor_of(AlarmMark(last.raised_at, last.kind, last.subject))}


def _time(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0))
