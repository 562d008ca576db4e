"""What a bundle adds that its users have never spoken of: inserted before it is played, which tells that it is new.

Nearly every event of a collection that grows brings a new copy of a new release. To look for its rows first, and to
write them then, would take PostgreSQL twice; an insert that a row in its way turns back does both.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from contracts.envelope import Event
from services.state.facets import ARTIST, LABEL, Counted
from services.state.facts import NOTHING, Facts, Stamp, Statement
from services.state.holdings import EMPTY, Copy, Entry, Holding
from services.stores import catalogue, facts, ownership
from services.stores.facts import Content
from services.stores.ownership import CountKey, Key
from services.worker.work import Accepted, Work


class Claim(NamedTuple):
    """A new release of a new copy, as it is once its event is played, and what it counts as."""

    holding: Holding
    counted: Counted


class Claims:
    """Copies, releases and counts that were inserted for the events of a bundle, as they are once all are played.

    Shape:   `releases` by user and instance, where both the copy and the release are new; `copies` are all that were
             inserted. `entries` is what the catalogue says of `asked`. `counts` are those that the database holds now.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self.copies: dict[Key, Copy] = {}
        self.releases: dict[Key, Claim] = {}
        self.asked: set[int] = set()
        self.entries: dict[int, Entry] = {}
        self.counts: dict[CountKey, int] = {}

    async def make(self, standing: Sequence[Accepted], stated: Mapping[int, Sequence[Facts]]) -> None:
        """Insert what `ownership.added` events may be the first to speak of; `stated` by offset.

        What an event before or behind it in the bundle speaks of as well is left to be loaded, played and saved.
        """
        parts = [
            ((event.subject, item.instance_id), (event.subject, item.release.id), event, item, said)
            for offset, event in [(one.offset, one.event) for one in standing]
            for item, said in zip(event.data.items, stated[offset], strict=True)
        ]
        doubled = _doubled([part[0] for part in parts]) | _doubled([part[1] for part in parts])
        alone: dict[Key, tuple[Copy, Facts]] = {}
        for key, name, event, item, said in parts:
            if not doubled or not (key in doubled or name in doubled):
                alone[key] = copy_of(item, stamp_of(event)), said
        await self._add(alone)
        await self._add_counts()

    async def _add(self, alone: Mapping[Key, tuple[Copy, Facts]]) -> None:
        """Insert these copies and their releases, where the facts of the release are stored.

        New facts are stored when the bundle is saved, all at once and in one order: who states the same ones waits
        until we are done, so it should not be long, and nobody waits in a circle.
        """
        connection = self._work.connection
        self.asked = {copy.release_id for copy, _ in alone.values() if copy.release_id is not None}
        self.entries = await catalogue.load(connection, self.asked)
        await self._work.knowledge.learn(connection, {one.statement.facts.content for one in self.entries.values()})
        made = {key: self._holding(copy, said) for key, (copy, said) in alone.items()}
        contents = _contents(made.values())
        ids = await facts.known_ids(connection, contents)
        if len(ids) < len(contents):
            made = {key: one for key, one in made.items() if _contents([one]) <= ids.keys()}
        new = await ownership.add_copies(connection, {key: alone[key][0] for key in made})
        self.copies = {key: alone[key][0] for key in new}
        names = {(key[0], made[key].release_id): key for key in new}
        counter = self._work.knowledge.counter
        for name in await ownership.add_holdings(connection, {name: made[key] for name, key in names.items()}, ids):
            holding = made[names[name]]
            self.releases[names[name]] = Claim(holding, counter(holding.counted or b""))

    def _holding(self, copy: Copy, said: Facts) -> Holding:
        """The release of a new copy, if nothing was said of it before."""
        assert copy.release_id is not None
        statement = Statement() if said == NOTHING else Statement(said, copy.stamp)
        holding = Holding(copy.release_id, 1, statement=statement)
        holding.counted, holding.first_pressing = holding.due(self.entries.get(copy.release_id))
        return holding

    async def _add_counts(self) -> None:
        """Count labels and artists; whose work a master is depends on what else of it is owned: that is loaded."""
        more: dict[CountKey, int] = {}
        for (user, _), (_, counted) in self.releases.items():
            for label in counted.labels:
                more[user, LABEL, label] = more.get((user, LABEL, label), 0) + 1
            if not counted.master:
                for artist in counted.artists:
                    more[user, ARTIST, artist] = more.get((user, ARTIST, artist), 0) + 1
        self.counts = await ownership.add_counts(self._work.connection, more)
        for key, number in self.counts.items():
            self._work.collectors[key[0]].unbounded[key[1:]] = number - more[key]


def _contents(holdings: Iterable[Holding]) -> set[Content]:
    """What these releases state and count."""
    found: set[Content] = set()
    for one in holdings:
        said, counted = one.statement.facts.content, one.counted
        found.add((one.release_id, said))
        if counted is not said:  # mostly it is: the catalogue adds nothing to what was said
            found.add((one.release_id, counted or EMPTY))
    return found


def _doubled(keys: Sequence[Key]) -> set[Key]:
    """Those that occur more than once."""
    if len(set(keys)) == len(keys):
        return set()
    return {key for key, number in Tally(keys).items() if number > 1}


def stamp_of(event: Event) -> Stamp:
    """When and by which event something is said."""
    return Stamp(event.time, event.id, event.source)


def copy_of(item: Any, stamp: Stamp) -> Copy:
    """The copy that an item of `ownership.added` speaks of; its day as it is written, wherever that was."""
    added_on = None if item.added_at is None else date.fromisoformat(item.added_at[:10])
    return Copy(item.release.id, True, stamp, added_on)
