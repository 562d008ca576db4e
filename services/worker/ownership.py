"""`ownership.added` and `ownership.removed`: copies come and go, one event after another, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from contracts.envelope import Event
from services.state.collector import Collector
from services.state.facets import ARTIST, LABEL, MASTER, Counted, bounded_values
from services.state.facts import Facts
from services.state.holdings import Copy, Entry, Holding, recount
from services.stores import catalogue, collectors, ownership
from services.stores.awards import NewAward
from services.stores.ownership import Key
from services.worker.awarding import Awarding
from services.worker.claims import Claims, copy_of, stamp_of
from services.worker.evidence import named_holding
from services.worker.steps import Steps
from services.worker.work import Accepted, EventFailed, Work

UNPLAYED: Final = Holding(0)  # stands for what was claimed until its event comes: it is not owned yet


class OwnershipBundle:
    """The copies, holdings and counts that one bundle touches, and what its events do to them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._stated: dict[int, list[Facts]] = {}
        self.copies: dict[Key, Copy] = {}
        self.holdings: dict[str, dict[int, Holding]] = {}
        self.catalogue: dict[int, Entry] = {}
        self._claims = Claims(work)
        self._changed_copies: set[Key] = set()
        self._changed_holdings: set[Key] = set()
        self.awarding = Awarding(work.knowledge.catalog, self.holdings)

    def stated_values(self, accepted: Iterable[Accepted]) -> set[tuple[str, str]]:
        """The bounded facets' values that these events state."""
        found: set[tuple[str, str]] = set()
        counter, states = self._work.knowledge.counter, self._work.knowledge.states
        for one in accepted:
            if one.event.type == "ownership.added":
                year = one.event.time.year
                self._stated[one.offset] = stated = [states(item.release, year) for item in one.event.data.items]
                for facts in stated:
                    if facts.content not in counter:
                        found.update(bounded_values(facts))
        return found

    async def apply(self, accepted: Sequence[Accepted]) -> list[NewAward]:
        """Load what the events touch, apply them one by one, write the result.

        Raises:  EventFailed naming the event at fault; nothing is kept then.
        """
        standing = await self._work.lock(accepted)
        if self._stated:
            await self._claims.make(standing, self._stated)
        await self.load(standing)
        for one in standing:
            try:
                self.play(one)
            except Exception as error:
                raise EventFailed(one.offset) from error
        return await self._save()

    # -- load ---------------------------------------------------------------------------------------------------

    async def load(self, standing: Sequence[Accepted]) -> None:
        """All that these events touch; their users are known, their values have ids."""
        connection, claims = self._work.connection, self._claims
        copies: set[Key] = set()
        said: list[tuple[str, int, Facts]] = []
        for one in standing:
            user, stated = one.event.subject, self._stated.get(one.offset)
            for at, item in enumerate(one.event.data.items):
                key = (user, item.instance_id)
                if key in claims.releases:
                    continue
                if key not in claims.copies:
                    copies.add(key)
                if stated is not None:
                    said.append((user, item.release.id, stated[at]))
        holdings = {(user, release) for user, release, _ in said}
        self.copies |= await ownership.load_copies(connection, copies)
        holdings.update(
            (user, copy.release_id) for (user, _), copy in self.copies.items() if copy.release_id is not None
        )
        for (user, release_id), holding in (await ownership.load_holdings(connection, holdings)).items():
            self.holdings.setdefault(user, {})[release_id] = holding
        self.catalogue |= claims.entries
        self.catalogue |= await catalogue.load(connection, {release for _, release in holdings} - claims.asked)
        contents = {entry.statement.facts.content for entry in self.catalogue.values()}
        for held in self.holdings.values():
            for holding in held.values():
                contents.add(holding.statement.facts.content)
                if holding.counted is not None:
                    contents.add(holding.counted)
        await self._work.knowledge.learn(connection, contents)
        keys = self._unbounded(said)
        for (user, _), claim in claims.releases.items():
            self.holdings.setdefault(user, {})[claim.holding.release_id] = UNPLAYED
        for user, (counts, credits) in (await ownership.load_counts(connection, keys - claims.counts.keys())).items():
            collector = self._work.collectors[user]
            collector.unbounded |= counts
            collector.credits |= credits
        totals = await catalogue.totals(connection, {(facet, value) for _, facet, value in keys})
        for collector in self._work.collectors.values():
            collector.totals = totals

    def _unbounded(self, said: Sequence[tuple[str, int, Facts]]) -> set[tuple[str, bytes, int]]:
        """Every label, artist and master that any of the facts at hand could count."""
        counter = self._work.knowledge.counter
        keys: set[tuple[str, bytes, int]] = set()

        def note(user: str, counted: Counted) -> None:
            if counted.master:
                keys.add((user, MASTER, counted.master))
            for label in counted.labels:
                keys.add((user, LABEL, label))
            for artist in counted.artists:
                keys.add((user, ARTIST, artist))

        for (user, _), claim in self._claims.releases.items():
            note(user, claim.counted)
        known = {release: counter(entry.statement.facts.content) for release, entry in self.catalogue.items()}
        for user, held in self.holdings.items():
            for release, holding in held.items():
                if holding.counted is not None:
                    note(user, counter(holding.counted))
                note(user, counter(holding.statement.facts.content))
                if release in known:
                    note(user, known[release])
        for user, release, facts in said:
            note(user, counter(facts.content))
            if release in known:
                note(user, known[release])
        return keys

    # -- apply --------------------------------------------------------------------------------------------------

    def play(self, one: Accepted) -> None:
        """One event in memory: state, counts, and what it earns."""
        event, claims = one.event, self._claims.releases
        collector = self._work.collectors[event.subject]
        stated = self._stated.get(one.offset)
        collector.see(event.time.date())
        steps = Steps(named_holding)
        steps.mark(collector)
        for at, item in enumerate(event.data.items):
            claim = claims.get((event.subject, item.instance_id))
            if claim is not None:
                self.holdings[event.subject][item.release.id] = claim.holding
                collector.count(claim.counted, 1, claim.holding.first_pressing)
            else:
                touched = self._take(event, item) if stated is None else self._give(event, item, stated[at])
                for holding in touched:
                    self._recount(collector, holding)
            steps.mark(collector)
            if stated is not None:
                steps.items.append(self.holdings[event.subject][item.release.id])
        self.awarding.judge_steps(event, collector, steps)

    def _give(self, event: Event, item: Any, stated: Facts) -> list[Holding]:
        """One item of `ownership.added`: its facts are said, its copy is there unless something newer says no."""
        user, release_id = event.subject, item.release.id
        stamp = stamp_of(event)
        holding = self._holding(user, release_id)
        if holding.statement.say(stated, stamp):
            self._changed_holdings.add((user, release_id))
        touched = self._put(user, item.instance_id, copy_of(item, stamp))
        return touched if holding in touched else [*touched, holding]

    def _take(self, event: Event, item: Any) -> list[Holding]:
        """One item of `ownership.removed`: a tombstone, unless something newer says the copy is there."""
        user = event.subject
        known = self.copies.get((user, item.instance_id))
        release_id = known.release_id if known else None
        return self._put(user, item.instance_id, Copy(release_id, False, stamp_of(event)))

    def _put(self, user: str, instance_id: int, copy: Copy) -> list[Holding]:
        """Let the newer of two statements on a copy stand; answers the releases that came or went with it.

        A release of which another copy stays keeps what was counted of it: a removal can only lower a count.
        """
        key = (user, instance_id)
        old = self.copies.get(key)
        if old is not None and copy.stamp < old.stamp:
            return []
        self.copies[key] = copy
        self._changed_copies.add(key)
        touched = []
        if old is not None and old.present and old.release_id is not None:
            before = self._move(user, old.release_id, -1)
            if not before.copies:
                touched.append(before)
        if copy.present and copy.release_id is not None:
            touched.append(self._move(user, copy.release_id, 1))
        return touched

    def _move(self, user: str, release_id: int, number: int) -> Holding:
        holding = self._holding(user, release_id)
        holding.copies += number
        self._changed_holdings.add((user, release_id))
        return holding

    def _holding(self, user: str, release_id: int) -> Holding:
        held = self.holdings.setdefault(user, {})
        found = held.get(release_id)
        if found is None:
            found = held[release_id] = Holding(release_id)
        return found

    def _recount(self, collector: Collector, holding: Holding) -> None:
        entry = self.catalogue.get(holding.release_id)
        if recount(holding, collector, entry, self._work.knowledge.counter):
            self._changed_holdings.add((collector.user_id, holding.release_id))

    # -- save ---------------------------------------------------------------------------------------------------

    async def _save(self) -> list[NewAward]:
        connection = self._work.connection
        given = await self.awarding.settle(connection)
        await ownership.save_copies(connection, {key: self.copies[key] for key in self._changed_copies})
        await ownership.save_holdings(
            connection, {(user, release): self.holdings[user][release] for user, release in self._changed_holdings}
        )
        await ownership.save_counts(connection, self._work.collectors.values(), self._claims.counts)
        await collectors.save_collection(connection, self._work.changed())
        return given
