"""One user recounted from the stored sets: what drifted, and what should be stored."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import Event
from services.state.collector import Collector
from services.state.facts import Stamp
from services.state.holdings import Copy, Holding
from services.state.recount import copies_drift, differences, fresh
from services.stores import collectors, ownership
from services.stores.activity import Fact
from services.stores.postgres import Connection
from services.worker.reading import Said, Sets, sets_of
from services.worker.work import Knowledge


@dataclass(slots=True)
class Recount:
    """What a recount found.

    Shape:   `collector` and `holdings` are as they should be stored, `moved` the releases that differ from what is;
             `drift` is name -> (stored, counted); `newest` the latest event of which anything is left.
    """

    collector: Collector
    holdings: dict[int, Holding]
    moved: set[int]
    drift: dict[str, tuple[Any, Any]]
    newest: Stamp | None
    recounted: bool  # whether the counts of labels, artists and masters differ from what is stored
    differs: bool  # whether anything of it is not what is stored
    copies: Mapping[int, Copy]  # and tombstones, by instance
    objects: Mapping[tuple[str, str], Fact]  # of activity, by kind and id


async def recount(connection: Connection, knowledge: Knowledge, stored: Collector, *, refresh: bool) -> Recount:
    """Recount a user whose row is locked; nothing is written.

    `refresh`: count also what the catalogue has learned since; that is news and no drift.
    """
    sets = (await sets_of(connection, [stored]))[stored.user_id]
    return await counted_again(connection, knowledge, stored, sets, Said(connection), refresh=refresh)


async def counted_again(
    connection: Connection, knowledge: Knowledge, stored: Collector, sets: Sets, said: Said, *, refresh: bool
) -> Recount:
    """A recount of sets at hand by a user who has all of the counts; nothing is written.

    Shape:   the holdings of `sets` become those of the recount.
    """
    copies, holdings, objects = sets
    owned = Tally([copy.release_id for copy in copies.values() if copy.present and copy.release_id is not None])
    drifted = copies_drift(holdings.values(), owned)
    drift: dict[str, tuple[Any, Any]] = {f"copies:{release}": pair for release, pair in drifted.items()}
    moved = set(drifted)
    for release in moved:
        holdings.setdefault(release, Holding(release)).copies = owned[release]
    asked = holdings.keys() if refresh else moved
    known = await said.of(asked)
    changed = {
        release: due
        for release in asked
        if (due := (one := holdings[release]).due(known.get(release))) != (one.counted, one.first_pressing)
    }
    contents = [one.counted for one in holdings.values()] + [content for content, _ in changed.values()]
    await knowledge.learn(connection, [content for content in contents if content is not None])

    present = [key for key, fact in objects.items() if fact.present]
    # Highest release id first: of a master's titles the one of the smallest id stays.
    ordered = [holdings[release] for release in sorted(holdings, reverse=True)]
    counted = fresh(stored.user_id, ordered, present, knowledge.counter)
    drift |= differences(stored, counted)
    for release, (content, first_pressing) in changed.items():
        holdings[release].counted, holdings[release].first_pressing = content, first_pressing
    if changed:
        moved |= changed.keys()
        counted = fresh(stored.user_id, ordered, present, knowledge.counter)
    counted.erased_at, counted.age_seen = stored.erased_at, stored.age_seen
    counted.graph = stored.graph
    stamps = [copy.stamp for copy in copies.values()] + [fact.stamp for fact in objects.values()]
    stamps += [stamp for holding in holdings.values() if (stamp := holding.statement.stamp)]
    newest = max(stamps, default=None)
    days = (stored.seen_on, newest.time.date() if newest else None)
    counted.seen_on = max((day for day in days if day is not None), default=None)
    counted.totals = await said.totals(counted.unbounded)
    recounted = (stored.unbounded, stored.credits) != (counted.unbounded, counted.credits)
    differs = bool(drift or moved or recounted or stored.seen_on != counted.seen_on)
    return Recount(counted, holdings, moved, drift, newest, recounted, differs, copies, objects)


def judged_at(event: Event, found: Recount, *, stands: bool) -> datetime:
    """As of when a recounted user is judged: where a deletion has made the event's time void, the newest event left."""
    return event.time if stands or found.newest is None else found.newest.time


async def save(connection: Connection, *recounts: Recount) -> None:
    """Write what recounts of different users found in place of what was stored."""
    await ownership.save_holdings(
        connection,
        {(found.collector.user_id, release): found.holdings[release] for found in recounts for release in found.moved},
    )
    for found in recounts:
        if found.recounted:
            await ownership.replace_counts(connection, found.collector)
    await collectors.save(connection, [found.collector for found in recounts])
