"""What one transaction works with: its connection, the users it locked, what the worker knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from catalog.definition import SWEEP
from catalog.index import Catalog, TriggerIndex
from contracts.envelope import Event
from services.state.collector import Collector
from services.state.facets import Counter, bounded_values
from services.state.facts import States, facts_of
from services.stores import collectors
from services.stores.facts import FacetIds
from services.stores.postgres import Connection

# What a state that contradicts itself raises; errors of the database have fates of their own.
FAULTS: Final = (ValueError, KeyError, AssertionError, TypeError)
MOST_INDICES: Final = 100


class EventFailed(Exception):
    """An event could not be applied although it is valid: a fault of ours, or a state that contradicts itself."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the event at offset {offset} could not be applied")
        self.offset = offset


class Accepted(msgspec.Struct, frozen=True):
    """A valid event, seen for the first time, and its place in the partition."""

    offset: int
    event: Event


class Knowledge:
    """What a worker knows for as long as it lives: the catalog, the facet ids, the key of erased users' hashes."""

    def __init__(self, catalog: Catalog, *, erasure_key: bytes, owner: str, facet_ids: FacetIds | None = None) -> None:
        self.catalog = catalog
        self.erasure_key = erasure_key
        self.owner = owner
        self.states = States()
        self.facet_ids = facet_ids or FacetIds()
        self.counter = Counter(self.facet_ids)
        self._indices: dict[tuple[str, ...], TriggerIndex] = {}

    def index_of(self, badge_keys: tuple[str, ...]) -> TriggerIndex:
        """The badges of a campaign as far as rules give them and this catalog has them, arranged like a trigger's."""
        if badge_keys not in self._indices:
            if len(self._indices) >= MOST_INDICES:
                self._indices.clear()
            chosen = frozenset(badge_keys)
            every = self.catalog.trigger(SWEEP).badges
            self._indices[badge_keys] = TriggerIndex(badge for badge in every if badge.key in chosen)
        return self._indices[badge_keys]

    async def learn(self, connection: Connection, contents: Iterable[bytes]) -> None:
        """Make `counter` understand stored facts: another worker may have met their genres and styles first."""
        unknown = {content for content in contents if content not in self.counter}
        await self.facet_ids.find(
            connection, {value for content in unknown for value in bounded_values(facts_of(content))}
        )


@dataclass(slots=True)
class Work:
    """One transaction's tools; `collectors` are the users that it has locked."""

    connection: Connection
    knowledge: Knowledge
    collectors: dict[str, Collector] = field(default_factory=dict)

    async def lock(
        self, accepted: Iterable[Accepted], *, create: bool = True, void_too: bool = False
    ) -> list[Accepted]:
        """Lock the users of these events and answer the events that stand: the others are older than a deletion.

        `create`: a user who is not known yet becomes known; without it such a user's events have nothing to act on.
        `void_too`: events older than a deletion are answered too, where anything newer of the user is left.
        """
        events = list(accepted)
        self.collectors |= await collectors.lock(
            self.connection, {one.event.subject for one in events}, self.knowledge.erasure_key, create=create
        )
        standing = [
            one for one in events if self.stands(one.event) or (void_too and one.event.subject in self.collectors)
        ]
        if len(standing) < len(events):
            kept = {one.event.subject for one in standing}
            void = [self.collectors.pop(user) for user in self.collectors.keys() - kept]
            await collectors.remove(self.connection, [one.user_id for one in void if one.created])
        return standing

    def stands(self, event: Event) -> bool:
        """Whether the event counts: its user is known, and it is newer than the user's last deletion."""
        collector = self.collectors.get(event.subject)
        return collector is not None and (collector.erased_at is None or event.time > collector.erased_at)

    def changed(self) -> list[Collector]:
        """The users whose counters moved."""
        return [one for one in self.collectors.values() if one.changed]
