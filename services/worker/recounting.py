"""One user recounted from the stored sets: what drifted, and what should be stored."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.state.collector import Collector, Key, Total
from services.state.facts import Stamp
from services.state.graph import Measured
from services.state.holdings import Copy, Entry, Holding
from services.state.recount import copies_drift, differences, fresh
from services.stores import activity, catalogue, collectors, graph, ownership
from services.stores.activity import Fact
from services.stores.postgres import Connection
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
    copies: Mapping[int, Copy]  # and tombstones, by instance
    objects: Mapping[tuple[str, str], Fact]  # of activity, by kind and id

    @property
    def differs(self) -> bool:
        """Whether anything of it is not what is stored."""
        return bool(self.drift or self.moved or self.recounted)


@dataclass(slots=True)
class Sets:
    """What is stored of some users beside their rows, read together; `known` and `totals` are the catalogue's."""

    copies: dict[str, dict[int, Copy]]
    holdings: dict[str, dict[int, Holding]]
    objects: dict[str, dict[tuple[str, str], Fact]]
    graphs: dict[str, Measured | None]
    known: dict[int, Entry]
    totals: dict[Key, Total]


async def load(connection: Connection, stored: Iterable[Collector]) -> Sets:
    """Read the sets of these users, each read once in this transaction, and give them all of their counts."""
    users = {one.user_id: one for one in stored}
    names = sorted(users)
    copies = await ownership.copies_of_each(connection, names)
    holdings = await ownership.holdings_of_each(connection, names)
    objects = await activity.of_each(connection, names)
    keys: set[Key] = set()
    for user, (counts, credits) in (await ownership.counts_of_each(connection, names)).items():
        users[user].unbounded, users[user].credits = counts, credits
        keys |= counts.keys()
    releases = {release for held in holdings.values() for release in held}
    releases |= {copy.release_id for some in copies.values() for copy in some.values() if copy.release_id is not None}
    return Sets(
        copies,
        holdings,
        objects,
        await graph.measured_of_each(connection, names),
        await catalogue.load(connection, releases),
        await catalogue.totals(connection, keys),
    )


async def recount(
    connection: Connection, knowledge: Knowledge, stored: Collector, *, refresh: bool, sets: Sets | None = None
) -> Recount:
    """Recount a user whose row is locked; nothing is written.

    `refresh`: count also what the catalogue has learned since; that is news and no drift. `sets`: where they are at
    hand; a user's may be used once.
    """
    user = stored.user_id
    sets = sets or await load(connection, [stored])
    copies, holdings, objects = sets.copies[user], sets.holdings[user], sets.objects[user]

    owned = Tally(copy.release_id for copy in copies.values() if copy.present and copy.release_id is not None)
    drift: dict[str, tuple[Any, Any]] = dict(copies_drift(holdings.values(), owned))
    moved = {release for release in owned | holdings.keys() if owned[release] != _copies(holdings, release)}
    for release in moved:
        holdings.setdefault(release, Holding(release)).copies = owned[release]
    known = sets.known
    due = {release: holdings[release].due(known.get(release)) for release in (holdings if refresh else moved)}
    contents = {*(content for content, _ in due.values()), *(holding.counted for holding in holdings.values())}
    await knowledge.learn(connection, [content for content in contents if content is not None])

    present = [key for key, fact in objects.items() if fact.present]
    # Highest release id first: of a master's titles the one of the smallest id stays.
    ordered = [holdings[release] for release in sorted(holdings, reverse=True)]
    counted = fresh(user, ordered, present, knowledge.counter)
    drift |= differences(stored, counted)
    changed = {
        release for release, one in due.items() if one != (holdings[release].counted, holdings[release].first_pressing)
    }
    for release in changed:
        holdings[release].counted, holdings[release].first_pressing = due[release]
    if changed:
        moved |= changed
        counted = fresh(user, ordered, present, knowledge.counter)
    counted.erased_at, counted.age_seen = stored.erased_at, stored.age_seen
    counted.graph = sets.graphs[user]
    stamps = [copy.stamp for copy in copies.values()] + [fact.stamp for fact in objects.values()]
    stamps += [stamp for holding in holdings.values() if (stamp := holding.statement.newest())]
    recounted = (stored.unbounded, stored.credits) != (counted.unbounded, counted.credits)
    if new := counted.unbounded.keys() - stored.unbounded.keys():
        sets.totals |= await catalogue.totals(connection, new)
    counted.totals = {key: sets.totals[key] for key in counted.unbounded if key in sets.totals}
    return Recount(counted, holdings, moved, drift, max(stamps, default=None), recounted, copies, objects)


async def save(connection: Connection, *recounts: Recount) -> None:
    """Write what recounts found in place of what was stored."""
    await ownership.save_holdings(
        connection,
        {(found.collector.user_id, release): found.holdings[release] for found in recounts for release in found.moved},
    )
    for found in recounts:
        if found.recounted:
            await ownership.replace_counts(connection, found.collector)
    await collectors.save(connection, [found.collector for found in recounts])


def _copies(holdings: dict[int, Holding], release: int) -> int:
    return holdings[release].copies if release in holdings else 0
