"""What operators look at, page by page: awards as they come, a user's history, holders, dead letters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("looking")
END: Final = datetime.max.replace(tzinfo=UTC)
"""After everything that has a time: where the newest begins."""


class FeedMark(msgspec.Struct, array_like=True, frozen=True):
    """The feed goes on before this award; it began with awards since `since`."""

    since: datetime
    at: datetime = END
    award_id: UUID = UUID(int=2**128 - 1)


class HistoryMark(msgspec.Struct, array_like=True, frozen=True):
    """A history goes on before this entry."""

    at: datetime = END
    tie: str = ""


class LetterMark(msgspec.Struct, array_like=True, frozen=True):
    """Dead letters go on before this one."""

    at: datetime = END
    topic: str = ""
    partition: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0


class Given(NamedTuple):
    """A row of the feed."""

    user_id: str
    badge_key: str
    context: str
    award_id: UUID
    revision: int
    awarded_at: datetime
    source: str
    trigger: str
    evidence: str
    sort_override: int | None
    hidden: bool
    revoked_at: datetime | None
    shadow: bool


class Past(NamedTuple):
    """An entry of a history: `what` is award, or the act that was done by hand."""

    at: datetime
    tie: str
    what: str
    badge_key: str
    context: str
    award_id: UUID
    revision: int
    source: str
    trigger: str
    by: str | None
    reason: str | None
    evidence: str | None
    before: str | None
    after: str | None
    shadow: bool


class Refused(NamedTuple):
    """A dead letter without its value."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    stage: str
    reason: str
    seen_at: datetime
    redriven_at: datetime | None


class Row(NamedTuple):
    """An award as it is exported."""

    user_id: str
    badge_key: str
    context: str
    award_id: UUID
    revision: int
    awarded_at: datetime
    source: str
    trigger: str
    campaign_id: str | None
    sort_override: int | None
    hidden: bool
    revoked_at: datetime | None
    shadow: bool
    evidence: str


async def feed(
    connection: Connection, mark: FeedMark, trigger: str | None, badge_key: str | None, limit: int
) -> list[Given]:
    """The newest awards before a mark."""
    rows = await connection.fetch(SQL["feed"], mark.since, mark.at, mark.award_id, trigger, badge_key, limit)
    return [Given(*row) for row in rows]


async def feed_counts(
    connection: Connection, since: datetime, trigger: str | None, badge_key: str | None
) -> list[tuple[str, str, int]]:
    """How many awards there are since then: trigger, badge, number."""
    rows = await connection.fetch(SQL["feed_counts"], since, END, trigger, badge_key)
    return [(row["trigger"], row["badge_key"], row["awards"]) for row in rows]


async def known(connection: Connection, user_id: str) -> bool:
    """Whether anything is known of a user."""
    return bool(await connection.fetchval(SQL["known"], user_id))


async def history(connection: Connection, user_id: str, mark: HistoryMark, limit: int) -> list[Past]:
    """What a user was given and what was done by hand, the newest first, before a mark."""
    return [Past(*row) for row in await connection.fetch(SQL["history"], user_id, mark.at, mark.tie, limit)]


async def holders(connection: Connection) -> tuple[dict[str, int], datetime | None]:
    """How many hold each badge, '' being all collectors, and when that was counted."""
    rows: list[Any] = list(await connection.fetch(SQL["holders"]))
    return {row["badge_key"]: row["holders"] for row in rows}, max((row["as_of"] for row in rows), default=None)


async def letters(
    connection: Connection, mark: LetterMark, topic: str | None, stage: str | None, limit: int
) -> list[Refused]:
    """The newest dead letters before a mark."""
    place = (mark.at, mark.topic, mark.partition, mark.offset)
    return [Refused(*row) for row in await connection.fetch(SQL["letters"], *place, topic, stage, limit)]


async def awards(
    connection: Connection, after: tuple[str, str, str], since: datetime, badge_key: str | None, limit: int
) -> list[Row]:
    """Awards behind one (user, badge, context), in that order."""
    return [Row(*row) for row in await connection.fetch(SQL["awards"], *after, since, badge_key, limit)]
