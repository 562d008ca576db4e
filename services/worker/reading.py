"""What a recount starts from: the stored sets of some users, read together, and what the catalogue says of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from contracts.snapshot import METRICS
from services.state.collector import COVERED, Collector, Key, Total
from services.state.graph import METRICS as OF_GRAPH
from services.state.holdings import Copy, Entry, Holding
from services.stores import activity, catalogue, graph, ownership
from services.stores.activity import Fact
from services.stores.postgres import Connection

EVERY: Final = frozenset(METRICS)


class Sets(NamedTuple):
    """What is stored of a user beside counts: copies by instance, releases, objects of activity by kind and id."""

    copies: Mapping[int, Copy]
    holdings: dict[int, Holding]
    objects: Mapping[tuple[str, str], Fact]

    def releases(self) -> Iterable[int]:
        """Every release of which a recount may ask the catalogue; one may come again."""
        yield from self.holdings
        yield from (one.release_id for one in self.copies.values() if one.release_id is not None)


class Said:
    """What the catalogue says of releases, labels and artists, each read once.

    Shape:   whoever knows better of a release than the catalogue puts it into `entries`. Where no badge reads a
             coverage, of no label or artist it is asked how large its catalogue is.
    """

    def __init__(self, connection: Connection, metrics: frozenset[str] = EVERY) -> None:
        self.entries: dict[int, Entry] = {}
        self._covers = not metrics.isdisjoint(COVERED)
        self._connection = connection
        self._releases: set[int] = set()
        self._totals: dict[Key, Total] = {}
        self._keys: set[Key] = set()

    async def of(self, releases: Collection[int]) -> Mapping[int, Entry]:
        """What is said of releases, of these and perhaps of others."""
        if not self._releases.issuperset(releases) and (new := set(releases) - self._releases - self.entries.keys()):
            self.entries |= await catalogue.load(self._connection, new)
            self._releases |= new
        return self.entries

    async def totals(self, keys: Collection[Key]) -> dict[Key, Total]:
        """How large the catalogues of these labels and artists are, where that is known."""
        if self._covers and (new := set(keys) - self._keys):
            self._totals |= await catalogue.totals(self._connection, new)
            self._keys |= new
        return {key: self._totals[key] for key in keys if key in self._totals} if self._totals else {}


async def give_counts(connection: Connection, users: Mapping[str, Collector], metrics: frozenset[str] = EVERY) -> None:
    """Give these users, by id, all that is stored of them beside their sets: counts in every context, and what was
    measured where a badge reads it.
    """
    names = sorted(users)
    for user, (counts, credits) in (await ownership.counts_of_each(connection, names)).items():
        users[user].unbounded, users[user].credits = counts, credits
    if not metrics.isdisjoint(OF_GRAPH):
        for user, measured in (await graph.measured_of_each(connection, names)).items():
            users[user].graph = measured


async def sets_of(
    connection: Connection, stored: Iterable[Collector], metrics: frozenset[str] = EVERY
) -> dict[str, Sets]:
    """The stored sets of these users, by id, who are given all of their counts.

    Shape:   what a recount makes of a user's sets is not what is stored: they serve one recount.
    """
    users = {one.user_id: one for one in stored}
    names = sorted(users)
    copies = await ownership.copies_of_each(connection, names)
    holdings = await ownership.holdings_of_each(connection, names)
    objects = await activity.of_each(connection, names)
    await give_counts(connection, users, metrics)
    return {user: Sets(copies[user], holdings[user], objects[user]) for user in names}


async def sets_and_said(
    connection: Connection, stored: Collection[Collector], metrics: frozenset[str] = EVERY
) -> tuple[dict[str, Sets], Said]:
    """The same, and all at once what recounts of these users will ask the catalogue for.

    Shape:   what no metric of `metrics` reads is left unread, where it is not stored with the counts.
    """
    sets, said = await sets_of(connection, stored, metrics), Said(connection, metrics)
    await said.of({release for one in sets.values() for release in one.releases()})
    await said.totals({key for one in stored for key in one.unbounded})
    return sets, said
