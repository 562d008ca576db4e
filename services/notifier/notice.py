"""What one notice says, as every channel tells it; the same at each attempt."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from contracts.times import rfc3339
from services.live.digest import Ranked, digest
from services.stores.notices import Claimed

Json = dict[str, Any]


class Notice(NamedTuple):
    """A notice, ready to be told: the awards by time, those worth naming, and how many families beside them."""

    notice_id: str
    user_id: str
    opened_at: str
    awards: list[Json]
    highlights: list[Json]
    more: int


def notice_of(claimed: Claimed) -> Notice:
    """What a claimed notice says; of each family the highest tier is a highlight, three of them at most."""
    awards: list[Json] = [{"event_id": one.event_id, **msgspec.json.decode(one.value)} for one in claimed.awards]
    awards.sort(key=lambda one: (one["awarded_at"], one["batch_id"], one["event_id"]))
    short = digest(
        Ranked(one["badge"]["family"], one["badge"]["tier_index"], one["badge"]["tier_index"], one) for one in awards
    )
    opened = rfc3339(claimed.opened_at)
    return Notice(str(claimed.notice_id), claimed.user_id, opened, awards, short.shown, short.more)


def body_of(notice: Notice) -> bytes:
    """The body of a webhook."""
    return msgspec.json.encode(
        {
            "notice_id": notice.notice_id,
            "user_id": notice.user_id,
            "opened_at": notice.opened_at,
            "highlights": [one["event_id"] for one in notice.highlights],
            "more": notice.more,
            "awards": notice.awards,
        }
    )
