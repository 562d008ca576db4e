"""Users in memory, and the worker's own code on them: whatever is played, nothing is written and nobody is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec import structs

from catalog.definition import BadgeDefinition
from contracts.envelope import Event
from services.state.collector import Collector
from services.state.facets import ARTIST, LABEL, bounded_values
from services.state.facts import Stamp, state_of
from services.state.holdings import Entry
from services.stores import awards, catalogue, collectors, graph
from services.stores.awards import Name
from services.stores.postgres import Connection
from services.worker import erasure, reading, recounting, tenure
from services.worker.activity import KINDS, ActivityBundle
from services.worker.awarding import Awarding, occasion_at
from services.worker.ownership import OwnershipBundle
from services.worker.reading import Said, Sets
from services.worker.recounting import Recount
from services.worker.work import Accepted, Knowledge, Work

WHOLE: Final = frozenset({"cron.sweep", "user.deleted", "release.described"})
"""Events that read all that is stored of a user, and not only what they name."""


class Passed(NamedTuple):
    """A badge that an event earned; `held`: the user had the award before, so that it is not given (again).

    Shape:   `highest_in_family` is None where it is held.
    """

    user_id: str
    badge: BadgeDefinition
    context: str
    awarded_at: datetime
    reason: str
    evidence: dict[str, Any]
    held: bool
    highest_in_family: bool | None


@dataclass(frozen=True, slots=True)
class Held:
    """An award that a user has, had, or has in the shadow; it stands where the user sees it."""

    at: datetime
    stands: bool


class Stage:
    """Some users, loaded or empty, on whom events are played one after another.

    Shape:   `work.collectors` are the users as the events left them; `held` their awards, those of the trial included.
    """

    def __init__(self, connection: Connection, knowledge: Knowledge) -> None:
        self.work = Work(connection, knowledge)
        self.held: dict[Name, Held] = {}
        self._ownership = OwnershipBundle(self.work)
        self._activity = ActivityBundle(self.work)
        self._everything = Awarding(knowledge.catalog, self._ownership.holdings)
        self._said = Said(connection)
        self._known: set[str] = set()

    @property
    def connection(self) -> Connection:
        return self.work.connection

    async def copy(self, users: Sequence[str]) -> list[str]:
        """Load these users as they are stored; answers those who are known."""
        found = await collectors.load(self.connection, users)
        self.work.collectors |= found
        self._known |= found.keys()
        for user, measured in (await graph.measured_of_each(self.connection, list(found))).items():
            found[user].graph = measured
        for name, (at, stands) in (await awards.of_users(self.connection, users)).items():
            self.held[name] = Held(at, stands)
        return list(found)

    async def expect(self, events: Sequence[Event], *, whole: bool = False) -> list[Accepted]:
        """Load all that these events touch, or `whole` users; answers the events as `play` takes them.

        Shape:   call it once, after `copy`; users who were not copied begin with nothing.
        """
        accepted = [Accepted(at, event) for at, event in enumerate(events)]
        knowledge, connection = self.work.knowledge, self.connection
        for event in events:
            if event.type != "release.described":
                self.work.collectors.setdefault(event.subject, Collector(event.subject))
        owning = [one for one in accepted if one.event.type.startswith("ownership.")]
        acting = [one for one in accepted if one.event.type in KINDS]
        described = [one.event for one in accepted if one.event.type == "release.described"]
        values = self._ownership.stated_values(owning)
        values |= {value for event in described for value in bounded_values(state_of(event.data, event.time.year))}
        await knowledge.facet_ids.ensure(connection, values)
        if whole or any(event.type in WHOLE for event in events):
            await self._load_whole()
        if owning:
            await self._ownership.load(owning)
        if acting:
            await self._activity.load(acting)
        self._ownership.catalogue |= await catalogue.load(connection, {event.data.id for event in described})
        return accepted

    async def _load_whole(self) -> None:
        known = [self.work.collectors[user] for user in self._known]
        for user, sets in (await reading.sets_of(self.connection, known)).items():
            self._ownership.copies |= {(user, instance): copy for instance, copy in sets.copies.items()}
            self._ownership.holdings[user] = sets.holdings
            self._activity.objects |= {(user, *name): fact for name, fact in sets.objects.items()}

    async def play(self, one: Accepted) -> list[Passed]:
        """One event; what it earned. An event older than the user's deletion does nothing."""
        event = one.event
        if event.type == "release.described":
            return await self._describe(event)
        if not self.work.stands(event) and event.type != "cron.sweep":
            return []
        if event.type.startswith("ownership."):
            self._known.add(event.subject)
            self._ownership.play(one)
            return await self._take(self._ownership.awarding)
        if event.type in KINDS:
            self._known.add(event.subject)
            self._activity.play(one)
            return await self._take(self._activity.awarding)
        if event.subject not in self._known and event.type != "user.deleted":
            return []  # nothing to act on
        match event.type:
            case "cron.anniversary":
                tenure.judge(self._everything, event, self.work.collectors[event.subject])
            case "cron.sweep":
                await self._sweep(event)
            case "collection.synced":  # by what the graph lane measured last: it is the lane that measures
                collector = self.work.collectors[event.subject]
                self._everything.judge_trigger(event, collector, occasion_at(event.type, event.time))
            case "user.deleted":
                await self._erase(event)
        return await self._take(self._everything)

    async def _take(self, awarding: Awarding) -> list[Passed]:
        """What was earned by the last event, held already or not."""
        candidates = list(awarding.candidates)
        if not candidates:
            return []
        before = set(self.held)
        new = {one.award.name: one for one in await awarding.take(self.connection, set(before))}
        passed = []
        for one in candidates:
            earned = new.get(one.name)
            if earned is not None:
                self.held[one.name] = Held(one.awarded_at, True)
            passed.append(
                Passed(
                    one.collector.user_id,
                    one.verdict.badge,
                    one.verdict.context,
                    one.awarded_at,
                    one.verdict.reason,
                    one.evidence,
                    earned is None,
                    None if earned is None else earned.highest_in_family,
                )
            )
        return passed

    # -- what reads whole users -----------------------------------------------------------------------------------

    async def _recount(self, user: str) -> Recount:
        collector = self.work.collectors[user]
        sets = Sets(
            {instance: copy for (of, instance), copy in self._ownership.copies.items() if of == user},
            self._ownership.holdings.setdefault(user, {}),
            {(kind, name): fact for (of, kind, name), fact in self._activity.objects.items() if of == user},
        )
        found = await recounting.counted_again(
            self.connection, self.work.knowledge, collector, sets, self._said, refresh=True
        )
        # Later events may count labels and artists of which there is nothing yet.
        found.collector.totals = {**collector.totals, **found.collector.totals}
        self.work.collectors[user] = found.collector
        return found

    async def _sweep(self, event: Event) -> None:
        found = await self._recount(event.subject)
        time = recounting.judged_at(event, found, stands=self.work.stands(event))
        self._everything.judge_everything(event, found.collector, occasion_at(event.type, time))

    async def _erase(self, event: Event) -> None:
        """All that is not newer goes, awards included; what is left is judged anew."""
        user, until = event.subject, event.time
        ownership, activity = self._ownership, self._activity
        ownership.copies = {
            key: copy for key, copy in ownership.copies.items() if key[0] != user or copy.stamp.time > until
        }
        activity.objects = {
            key: fact for key, fact in activity.objects.items() if key[0] != user or fact.stamp.time > until
        }
        self.held = {name: held for name, held in self.held.items() if name[0] != user or held.at > until}
        holdings = ownership.holdings.setdefault(user, {})
        left = [copy for (of, _), copy in ownership.copies.items() if of == user]
        _, gone = erasure.forget_statements(holdings, left, until)
        for release in gone:
            del holdings[release]
        collector = self.work.collectors[user]
        collector.erased_at, collector.graph = until, None
        found = await self._recount(user)
        if found.newest is None:
            self._known.discard(user)
            self.work.collectors[user] = anew = Collector(user, erased_at=until)
            anew.totals = found.collector.totals
        else:
            erasure.judge_rest(self._everything, event, found)

    async def _describe(self, event: Event) -> list[Passed]:
        """The catalogue learns, and the owners among these users are swept at once, as the relay tells them to be.

        Which releases are first pressings stays as the catalogue has it.
        """
        release = event.data.id
        entry = self._ownership.catalogue.setdefault(release, Entry())
        before = entry.statement.facts
        stamp = Stamp(event.time, event.id, event.source)
        if not entry.statement.say(state_of(event.data, event.time.year), stamp) or entry.statement.facts == before:
            return []
        self._said.entries[release] = entry
        facts = entry.statement.facts
        await self.work.knowledge.facet_ids.ensure(self.connection, bounded_values(facts))
        counted = self.work.knowledge.counter(facts.content)
        keys = [(LABEL, one) for one in counted.labels] + [(ARTIST, one) for one in counted.artists]
        totals = await self._said.totals(keys)
        passed = []
        for user in sorted(self._known):
            collector = self.work.collectors[user]
            collector.totals = {**collector.totals, **totals}
            holding = self._ownership.holdings.get(user, {}).get(release)
            if holding is not None and holding.due(entry) != (holding.counted, holding.first_pressing):
                await self._sweep(structs.replace(event, type="cron.sweep", subject=user))
                passed += await self._take(self._everything)
        return passed
