"""What progress is worked out from: the counters of users, and what they have been awarded already."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date
from typing import NamedTuple

import asyncpg
import msgspec

from services.state.collector import COUNTERS, Collector, Total
from services.state.facets import ARTIST, LABEL, MASTER
from services.stores.achievements import read
from services.stores.graph import measured_in
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("standings")


class Standing(NamedTuple):
    """The counters of a user as a Snapshot, and (badge key, context) of what is not to be earned again."""

    collector: Collector
    awarded: Set[tuple[str, str]]


_MASTERS = msgspec.json.Decoder(list[tuple[int, int, str | None]])
_COVERAGE = msgspec.json.Decoder(list[tuple[str, int, int, int, date, str | None]])
_AWARDED = msgspec.json.Decoder(list[str])
_TIERS = msgspec.json.Decoder(list[tuple[str, str]])


async def standings(
    connection: Connection,
    users: Sequence[str],
    master_badges: Sequence[str],
    highest: int,
    nearest: int,
    coverage: tuple[Sequence[str], Sequence[str], Sequence[int], Sequence[int]],
) -> list[asyncpg.Record]:
    """The counters of each user, in this order, with the masters that can be among the `nearest` to a next tier.

    Masters with the same number of pressings and the same awards are equally near, so the first few of each kind do;
    `highest` is the last target of `master_badges`: beyond it numbers make no difference. `coverage` are the badges of
    shares, as columns: key, kind of context, percent, smallest total; of labels and artists the nearest come alone.

    Shape:   rows for `standing`; equal rows have equal standings.
    """
    return await connection.fetch(SQL["of_users"], users, master_badges, highest, nearest, *coverage)


def standing(row: asyncpg.Record) -> Standing | None:
    """The standing in a row; None where the user is not known."""
    if row["releases"] is None:
        return None
    collector = Collector(
        "",
        counters={name: row[name] for name in COUNTERS},
        facets=row["facets"],
        years=row["years"],
        joined_on=row["joined_on"],
    )
    collector.graph = measured_in(row["hops"], row["cluster_artists"], row["graph"])
    for master, number, title in read(_MASTERS, row["masters"]) or []:
        collector.unbounded[MASTER, master] = number
        collector.titles[master] = title
    totals: dict[tuple[bytes, int], Total] = {}
    for kind, id_, number, total, as_of, name in read(_COVERAGE, row["coverage"]) or []:
        key = (LABEL if kind == "label" else ARTIST, id_)
        collector.unbounded[key] = number
        totals[key] = Total(total, as_of, name)
    collector.totals = totals
    tiers = read(_TIERS, row["tiers"]) or []
    return Standing(collector, {(key, "") for key in read(_AWARDED, row["awarded"]) or []} | set(tiers))
