"""What the read service asks: a user's awards and counters, each question one statement and one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple, TypeVar

import asyncpg
import msgspec

from services.state.collector import COUNTERS, Collector, Total
from services.state.facets import ARTIST, LABEL, MASTER
from services.stores.graph import measured_in
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


class Page(NamedTuple):
    """Some awards of a user in list order, `more` where others follow; counts over all of them."""

    awards: list[Award]
    more: bool
    held: list[Held]
    rarest: Award | None
    collectors: Counted | None


class Summary(NamedTuple):
    """Counts over all awards of a user, the rarest and the newest award."""

    held: list[Held]
    rarest: Award | None
    most_recent: Award | None
    collectors: Counted | None


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


class Standing(NamedTuple):
    """The counters of a user as a Snapshot, and (badge key, context) of what is not to be earned again."""

    collector: Collector
    awarded: frozenset[tuple[str, str]]


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
_MASTERS = msgspec.json.Decoder(list[tuple[int, int, str | None]])
_COVERAGE = msgspec.json.Decoder(list[tuple[str, int, int, int, date, str | None]])
_TODAY = msgspec.json.Decoder(dict[str, tuple[int, int, date]])
_AWARDED = msgspec.json.Decoder(list[tuple[str, str]])
_T = TypeVar("_T")


def moment(microseconds: int) -> datetime:
    """The UTC time so many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=microseconds)


async def open_reader(url: str, *, application: str, size: int) -> asyncpg.Pool[asyncpg.Record]:
    """A pool that only reads and connects when first used.

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
        },
    )


async def page(
    connection: Connection,
    user_id: str,
    scores: tuple[Sequence[str], Sequence[int]],
    limit: int,
    after: Place | None = None,
) -> Page:
    """At most `limit` awards behind `after`; `scores` are badge keys and their sort scores, as two columns."""
    row = await connection.fetchrow(SQL["page"], user_id, *scores, limit + 1, *_columns(after))
    assert row is not None
    awards = _read(_AWARDS, row["page"]) or []
    return Page(
        awards[:limit],
        len(awards) > limit,
        _read(_HELD, row["held"]) or [],
        _read(_AWARD, row["rarest"]),
        _read(_COUNTED, row["collectors"]),
    )


async def summary(connection: Connection, user_id: str, scores: tuple[Sequence[str], Sequence[int]]) -> Summary:
    """Counts, rarest and newest of all awards of a user."""
    row = await connection.fetchrow(SQL["summary"], user_id, *scores)
    assert row is not None
    return Summary(
        _read(_HELD, row["held"]) or [],
        _read(_AWARD, row["rarest"]),
        _read(_AWARD, row["most_recent"]),
        _read(_COUNTED, row["collectors"]),
    )


async def detail(
    connection: Connection,
    user_id: str,
    badge_key: str,
    family: Sequence[str],
    score: int,
    limit: int,
    after: Place | None = None,
) -> Detail:
    """What a user has of one badge and of the tiers of its family, `family` being the keys of them all."""
    row = await connection.fetchrow(SQL["detail"], user_id, badge_key, family, score, limit + 1, *_columns(after))
    assert row is not None
    awards = _read(_AWARDS, row["page"]) or []
    return Detail(
        _read(_AWARD, row["first"]),
        awards[:limit],
        len(awards) > limit,
        _read(_SINCE, row["since"]) or {},
        _read(_COUNTED, row["holders"]),
        _read(_COUNTED, row["collectors"]),
        row["rank"],
        _read(_TODAY, row["today"]) or {},
    )


async def standing(
    connection: Connection,
    user_id: str,
    master_badges: Sequence[str],
    highest: int,
    nearest: int,
    coverage: tuple[Sequence[str], Sequence[str], Sequence[int], Sequence[int]],
) -> Standing | None:
    """The user's counters with the masters that can be among the `nearest` to a next tier; None for an unknown user.

    Masters with the same number of pressings and the same awards are equally near, so the first few of each kind do;
    `highest` is the last target of `master_badges`: beyond it numbers make no difference. `coverage` are the badges of
    shares, as columns: key, kind of context, percent, smallest total; of labels and artists the nearest come alone.
    """
    row = await connection.fetchrow(SQL["standing"], user_id, master_badges, highest, nearest, *coverage)
    if row is None:
        return None
    joined_on: date | None = row["joined_on"]
    collector = Collector(
        user_id,
        counters={name: row[name] for name in COUNTERS},
        facets=row["facets"],
        years=row["years"],
        joined_on=joined_on,
    )
    collector.graph = measured_in(row["hops"], row["cluster_artists"], row["graph"])
    for master, number, title in _read(_MASTERS, row["masters"]) or []:
        collector.unbounded[MASTER, master] = number
        collector.titles[master] = title
    totals: dict[tuple[bytes, int], Total] = {}
    for kind, id_, number, total, as_of, name in _read(_COVERAGE, row["coverage"]) or []:
        key = (LABEL if kind == "label" else ARTIST, id_)
        collector.unbounded[key] = number
        totals[key] = Total(total, as_of, name)
    collector.totals = totals
    return Standing(collector, frozenset(_read(_AWARDED, row["awarded"]) or ()))


async def lag(connection: Connection) -> Lag:
    """How far behind relay and worker are."""
    row = await connection.fetchrow(SQL["lag"])
    assert row is not None
    return Lag(row["outbox_seconds"], row["ledger_moved_at"], row["partitions"])


def _columns(place: Place | None) -> tuple[int | None, datetime | None, str | None, str | None]:
    if place is None:
        return None, None, None, None
    return place.score, moment(place.at), place.badge_key, place.context


def _read(decoder: msgspec.json.Decoder[_T], text: str | None) -> _T | None:
    return None if text is None else decoder.decode(text)
