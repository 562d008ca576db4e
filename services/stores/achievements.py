"""What the read service asks: a user's awards and counters, each question one statement and one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg
import msgspec

from services.stores.postgres import CONNECT_SECONDS, Connection
from services.stores.queries import statements

SQL = statements("achievements")

STATEMENT_SECONDS: Final = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Award(msgspec.Struct, array_like=True, frozen=True):
    """A stored award; `at` is in microseconds since 1970, `score` what the list is sorted by first."""

    badge_key: str
    context: str
    at: int
    source: str
    evidence: msgspec.Raw
    score: int


class Counted(msgspec.Struct, array_like=True, frozen=True):
    """Collectors, and how many of them are active (None: not counted yet)."""

    all: int
    active: int | None


class Held(msgspec.Struct, array_like=True, frozen=True):
    """A badge that the user has: for how many contexts, how many collectors have it, which one this was to earn it.

    Shape:   `holders` and `active_holders` are None while nobody has counted; `rank` is None beyond the first ones.
    """

    badge_key: str
    awards: int
    holders: int | None
    active_holders: int | None = None
    rank: int | None = None


class Place(msgspec.Struct, array_like=True, frozen=True):
    """A place in a user's list: the next page begins behind it."""

    score: int
    at: int
    badge_key: str
    context: str


class PageAsked(NamedTuple):
    """At most `limit` awards of a user behind `after`, unless `known` is their digest."""

    user_id: str
    limit: int
    known: int | None
    after: Place | None


class Page(NamedTuple):
    """Some awards of a user in list order, `more` where others follow; counts over all of them, and their digest."""

    awards: list[Award]
    more: bool
    held: list[Held]
    rarest: Award | None
    collectors: Counted | None
    digest: int = 0


class Summary(NamedTuple):
    """Counts over all awards of a user, the rarest and the newest award."""

    held: list[Held]
    rarest: Award | None
    most_recent: Award | None
    collectors: Counted | None


class DetailAsked(NamedTuple):
    """A badge of a user, `family` the keys of all of its tiers, and at most `limit` of its awards behind `after`."""

    user_id: str
    badge_key: str
    family: Sequence[str]
    score: int
    limit: int
    after: Place | None


class Detail(NamedTuple):
    """One badge of a user: `first` of its awards, a page of them, and since when (µs) each tier is held.

    Shape:   `today` is context -> owned, total, date of the total, of the awards on the page that are of a share.
    """

    first: Award | None
    awards: list[Award]
    more: bool
    since: dict[str, int]
    holders: Counted | None
    collectors: Counted | None
    rank: int | None
    today: dict[str, tuple[int, int, date]]


class Lag(NamedTuple):
    """How far behind the other processes are: age of the oldest unsent message, when the input position last moved."""

    outbox_seconds: float | None
    ledger_moved_at: datetime | None
    partitions: int


_AWARDS = msgspec.json.Decoder(list[Award])
_AWARD = msgspec.json.Decoder(Award)
_COUNTED = msgspec.json.Decoder(Counted)
_HELD = msgspec.json.Decoder(list[Held])
_SINCE = msgspec.json.Decoder(dict[str, int])
_TODAY = msgspec.json.Decoder(dict[str, tuple[int, int, date]])
T = TypeVar("T")


def moment(microseconds: int) -> datetime:
    """The UTC time so many microseconds after 1970 began."""
    return _EPOCH + timedelta(0, 0, microseconds)


async def open_reader(url: str, *, application: str, size: int, by_key: bool = False) -> asyncpg.Pool[asyncpg.Record]:
    """A pool that only reads and connects when first used; `by_key` for questions that look rows up, and never scan.

    A connection goes back as it is: no question changes a session, and asyncpg's reset would be a second round trip.
    """

    async def keep(connection: Connection) -> None:
        return None

    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS + 1,
        max_cached_statement_lifetime=0,
        reset=keep,
        server_settings={
            "application_name": application,
            "jit": "off",
            # The plans of these statements depend on nobody's numbers, and planning would cost more than reading.
            "plan_cache_mode": "force_generic_plan",
            "default_transaction_read_only": "on",
            "statement_timeout": str(STATEMENT_SECONDS * 1000),
            # However small a table still is when they are planned.
            **({"enable_seqscan": "off"} if by_key else {}),
        },
    )


async def pages(connection: Connection, asked: Sequence[PageAsked], scores: str) -> list[Page | None]:
    """The page that each asks for, in this order; None where it is the one that is known.

    Shape:   `scores` are badge keys and their sort scores, a JSON object.
    """
    users, limits, known, after = zip(*asked, strict=True)
    most = [limit + 1 for limit in limits]
    rows = await connection.fetch(SQL["pages"], users, most, known, *_columns(after), scores)
    return [None if row["digest"] == one.known else _page(row, one.limit) for row, one in zip(rows, asked, strict=True)]


async def summary(connection: Connection, user_id: str, scores: tuple[Sequence[str], Sequence[int]]) -> Summary:
    """Counts, rarest and newest of all awards of a user."""
    row = await connection.fetchrow(SQL["summary"], user_id, *scores)
    assert row is not None
    return Summary(
        read(_HELD, row["held"]) or [],
        read(_AWARD, row["rarest"]),
        read(_AWARD, row["most_recent"]),
        read(_COUNTED, row["collectors"]),
    )


async def details(connection: Connection, asked: Sequence[DetailAsked]) -> list[asyncpg.Record]:
    """What each user has of one badge and of the tiers of its family, in this order.

    Shape:   rows for `detail`; equal rows have equal details.
    """
    users, keys, families, scores, limits, after = zip(*asked, strict=True)
    named, most = [",".join(keys) for keys in families], [limit + 1 for limit in limits]
    return await connection.fetch(SQL["details"], users, keys, named, scores, most, *_columns(after))


async def lag(connection: Connection) -> Lag:
    """How far behind relay and worker are."""
    row = await connection.fetchrow(SQL["lag"])
    assert row is not None
    return Lag(row["outbox_seconds"], row["ledger_moved_at"], row["partitions"])


def _page(row: asyncpg.Record, limit: int) -> Page:
    awards = read(_AWARDS, row["page"]) or []
    return Page(
        awards[:limit],
        len(awards) > limit,
        read(_HELD, row["held"]) or [],
        read(_AWARD, row["rarest"]),
        read(_COUNTED, row["collectors"]),
        row["digest"],
    )


def detail(row: asyncpg.Record, limit: int) -> Detail:
    """The detail in a row that was asked for with this limit."""
    awards = read(_AWARDS, row["page"]) or []
    return Detail(
        read(_AWARD, row["first"]),
        awards[:limit],
        len(awards) > limit,
        read(_SINCE, row["since"]) or {},
        read(_COUNTED, row["holders"]),
        read(_COUNTED, row["collectors"]),
        row["rank"],
        read(_TODAY, row["today"]) or {},
    )


def _columns(places: Sequence[Place | None]) -> list[list[Any] | None]:
    """Places as columns; null instead of nulls is the same to `unnest`, and nothing to send."""
    if not any(places):
        return [None] * 4
    return [
        [None if place is None else place.score for place in places],
        [None if place is None else moment(place.at) for place in places],
        [None if place is None else place.badge_key for place in places],
        [None if place is None else place.context for place in places],
    ]


def read(decoder: msgspec.json.Decoder[T], text: str | None) -> T | None:
    """What stands in a column of JSON; None where it is null."""
    return None if text is None else decoder.decode(text)
