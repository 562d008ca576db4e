"""Awards as they come, a user's history, the log of acts by hand, dead letters: a page each."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from catalog.index import Catalog
from contracts.times import rfc3339
from contracts.topics import INPUT_TOPICS
from services.cursors import cursor_of
from services.looking.badges import NoSuch
from services.manual import log
from services.stores import by_hand, looking
from services.stores.looking import END, FeedMark, HistoryMark, LetterMark, Past
from services.stores.postgres import Connection

Json: TypeAlias = dict[str, Any]
TRIGGERS: Final = frozenset((*INPUT_TOPICS, "manual"))
LONGEST_KEY_SHOWN: Final = 256


class LogMark(msgspec.Struct, array_like=True, frozen=True):
    """The log goes on before this act."""

    id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


def check(catalog: Catalog, trigger: str | None = None, badge: str | None = None, topic: str | None = None) -> None:
    """Whether what is asked for exists.

    Raises:  NoSuch trigger, badge or topic.
    """
    if trigger is not None and trigger not in TRIGGERS:
        raise NoSuch(f"There is no trigger {trigger[:128]!r}.")
    if badge is not None and badge not in catalog.badges:
        raise NoSuch(f"There is no badge {badge[:128]!r}.")
    if topic is not None and topic not in INPUT_TOPICS:
        raise NoSuch(f"There is no topic {topic[:128]!r} that takes events.")


async def feed(connection: Connection, mark: FeedMark, trigger: str | None, badge: str | None, limit: int) -> Json:
    """Awards since a time, the newest first; the first page counts all of them by trigger and by badge."""
    found = await looking.feed(connection, mark, trigger, badge, limit + 1)
    page = found[:limit]
    answer: Json = {"since": rfc3339(mark.since), "total": None, "by_trigger": None, "by_badge": None}
    if mark.at == END:
        by_trigger: dict[str, int] = {}
        by_badge: dict[str, int] = {}
        for why, key, n in await looking.feed_counts(connection, mark.since, trigger, badge):
            by_trigger[why] = by_trigger.get(why, 0) + n
            by_badge[key] = by_badge.get(key, 0) + n
        answer |= {"total": sum(by_badge.values()), "by_trigger": by_trigger, "by_badge": by_badge}
    answer["awards"] = [
        {
            **one._asdict(),
            "award_id": str(one.award_id),
            "awarded_at": rfc3339(one.awarded_at),
            "revoked_at": _time(one.revoked_at),
            "evidence": json.loads(one.evidence),
        }
        for one in page
    ]
    last = FeedMark(mark.since, page[-1].awarded_at, page[-1].award_id) if len(found) > limit else None
    return answer | {"next_cursor": None if last is None else cursor_of(last)}


async def history(connection: Connection, user_id: str, mark: HistoryMark, limit: int) -> Json | None:
    """What a user was given and what was done by hand, the newest first; None where nothing is known of the user."""
    found = await looking.history(connection, user_id, mark, limit + 1)
    if not found and not await looking.known(connection, user_id):
        return None
    page = found[:limit]
    last = HistoryMark(page[-1].at, page[-1].tie) if len(found) > limit else None
    return {
        "user_id": user_id,
        "history": [_past(one) for one in page],
        "next_cursor": None if last is None else cursor_of(last),
    }


async def acts(
    connection: Connection, before: LogMark | None, user_id: str | None, badge: str | None, limit: int
) -> Json:
    """What was done by hand, the newest first."""
    place = None if before is None else before.id
    found = await by_hand.page_of_log(connection, place, user_id, badge, limit + 1)
    last = LogMark(found[limit - 1].id) if len(found) > limit else None
    return {
        "acts": [log.shown(one) for one in found[:limit]],
        "next_cursor": None if last is None else cursor_of(last),
    }


async def letters(connection: Connection, mark: LetterMark, topic: str | None, stage: str | None, limit: int) -> Json:
    """Dead letters without their values, the newest first."""
    found = await looking.letters(connection, mark, topic, stage, limit + 1)
    page = found[:limit]
    last = None
    if len(found) > limit:
        last = LetterMark(page[-1].seen_at, page[-1].topic, page[-1].partition, page[-1].offset)
    return {
        "letters": [
            {
                **one._asdict(),
                "key": None if one.key is None else one.key.decode(errors="replace")[:LONGEST_KEY_SHOWN],
                "seen_at": rfc3339(one.seen_at),
                "redriven_at": _time(one.redriven_at),
            }
            for one in page
        ],
        "next_cursor": None if last is None else cursor_of(last),
    }


def _past(one: Past) -> Json:
    entry = one._asdict() | {"at": rfc3339(one.at), "award_id": str(one.award_id)}
    del entry["tie"]
    for name in ("evidence", "before", "after"):
        entry[name] = None if entry[name] is None else json.loads(entry[name])
    return entry


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
