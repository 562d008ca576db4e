"""What a user does not have yet: of a label, an artist, a master, or of the values of a facet.

Each question is one statement; what it costs grows with the label, the artist or the master, not with the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

import msgspec

from services.state.collector import COUNTERS, Collector
from services.state.facets import ARTIST, LABEL, MASTER
from services.state.facts import NOTHING, Facts
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("missing")

Whole = Literal["label", "artist", "master"]
UNDATED: Final = ":"
"""Stands for the date of what has none: it comes after all dates."""

_FACETS: Final = {"label": LABEL, "artist": ARTIST, "master": MASTER}


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """How far a list was read: date and id of its last entry, and the context that it was read for."""

    context: str
    at: str | None
    id: int


class Item(msgspec.Struct, array_like=True, frozen=True):
    """A release (or a work: a master, or minus the id of a release without one) that a user does not own.

    Shape:   `at` is the date as far as it is known, or UNDATED; `master_title` is that of a work where its
             master has one, `facts` are those of the release, of a work of its earliest release.
    """

    id: int
    at: str
    master_title: str | None
    facts: Facts | None

    @property
    def title(self) -> str | None:
        return self.master_title or (self.facts or NOTHING).title

    @property
    def year(self) -> int | None:
        dated = int(self.at[:4]) if self.at[:4].isdecimal() else None
        return dated or (self.facts or NOTHING).pressing_year()


class Gap(NamedTuple):
    """What a user has and does not have of a whole; `total` and `as_of` are None where its size is not known.

    Shape:   `held` says of the badge: had, taken back (False), never given or hidden (None).
    """

    name: str | None
    owned: int
    total: int | None
    as_of: date | None
    held: bool | None
    items: list[Item]
    more: bool


class Standing(NamedTuple):
    """The counters of a user, and whether a badge is held; `known` is whether there is anything about the user."""

    collector: Collector
    known: bool
    held: bool | None


class Values(NamedTuple):
    """A page of values of a facet, as (id, value), and how many the facet has in all."""

    total: int
    page: list[tuple[int, str]]
    more: bool


_ITEMS = msgspec.json.Decoder(list[Item])
_VALUES = msgspec.json.Decoder(list[tuple[int, str]])


async def standing(connection: Connection, user_id: str, badge_key: str, context: str = "") -> Standing:
    """The counters of a user, all zero for one whom nobody knows, without those of labels, artists and masters."""
    row = await connection.fetchrow(SQL["standing"], user_id, badge_key, context)
    assert row is not None
    if row["user_id"] is None:
        return Standing(Collector(user_id), False, row["held"])
    collector = Collector(
        user_id,
        counters={name: row[name] or 0 for name in COUNTERS},
        facets=row["facets"],
        years=row["years"],
        joined_on=row["joined_on"],
    )
    return Standing(collector, True, row["held"])


async def seen(connection: Connection, user_id: str, badge_key: str) -> bool:
    """Whether the user has the badge in any context."""
    return bool(await connection.fetchval(SQL["seen"], user_id, badge_key))


async def nearest(
    connection: Connection, user_id: str, whole: Whole, badge_key: str, *, target: int, min_total: int = 1
) -> int | None:
    """The label, artist or master of which the user lacks least for the badge, of those without it; None without any.

    Units:   `target` counts pressings of a master, and is in percent for labels and artists.
    """
    found: int | None
    if whole == "master":
        found = await connection.fetchval(SQL["nearest_master"], user_id, target, badge_key)
    else:
        facet = _FACETS[whole]
        found = await connection.fetchval(SQL["nearest_coverage"], user_id, facet, whole, min_total, badge_key, target)
    return found


async def gap(
    connection: Connection, user_id: str, whole: Whole, id_: int, badge_key: str, limit: int, after: Mark | None = None
) -> Gap:
    """At most `limit` of what the user lacks of a whole, oldest first, what has no date last; behind `after`."""
    place = (None, None) if after is None else (after.at, after.id)
    row = await connection.fetchrow(SQL[whole], user_id, id_, badge_key, *place, limit + 1)
    assert row is not None
    items = _ITEMS.decode(row["page"]) if row["page"] else []
    return Gap(
        row["name"], row["owned"] or 0, row["total"], row["as_of"], row["held"], items[:limit], len(items) > limit
    )


async def values(
    connection: Connection,
    facet: str,
    had: Collection[int],
    first: Sequence[str],
    limit: int,
    after: Mark | None = None,
) -> Values:
    """At most `limit` values of a facet that are not among the ids `had`: `first` in their order, then by name."""
    behind = None if after is None else after.id
    row = await connection.fetchrow(SQL["facet_values"], facet, list(had), list(first), behind, limit + 1)
    assert row is not None
    page = _VALUES.decode(row["page"]) if row["page"] else []
    return Values(row["total"], page[:limit], len(page) > limit)


async def names(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Facet and name of each value that is known."""
    return {row["id"]: (row["facet"], row["value"]) for row in await connection.fetch(SQL["names"], list(ids))}
