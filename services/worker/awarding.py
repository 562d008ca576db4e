"""From moved metrics to awards: which lines an event crossed, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from catalog.definition import SWEEP, BadgeDefinition
from catalog.index import Catalog
from contracts import hot
from contracts.envelope import Event, rfc3339
from contracts.events.badge import Badge, BadgeAwarded, Cause
from contracts.snapshot import Occasion
from evaluators.engine import evaluate, evaluate_all
from evaluators.verdict import Verdict
from services.state.collector import COUNTERS, Collector
from services.stores import awards, ownership
from services.stores.awards import Message, Name, NewAward
from services.stores.postgres import Connection

AWARDS: Final = UUID("6f1d2b1e-5f0c-5c55-9a38-0d1f6a7c9e21")  # name space of award ids: never change it
BATCHES: Final = UUID("0f6f7c0a-6a55-5d5e-8a5b-3c9b52a7d1f4")  # name space of batch ids

# The published models, compiled: an import of a collection earns dozens of badges at once.
_Awarded, _Badge, _Cause = hot.struct(BadgeAwarded), hot.struct(Badge), hot.struct(Cause)

# Of the user's releases that the bundle holds in memory: title and pressing year, None where it is not owned.
InMemory = Callable[[str], Mapping[int, tuple[str | None, int | None] | None]]


def award_id(user_id: str, badge_key: str, context: str, erased_at: datetime | None) -> UUID:
    """Id of an award: the same whenever the same award is given, another one after a deletion."""
    return uuid5(AWARDS, json.dumps([user_id, badge_key, context, rfc3339(erased_at) if erased_at else ""]))


@dataclass(slots=True)
class Steps:
    """How an event moved one user's numbers, item by item.

    Shape:   `counters[i]` and `moved[i]` (length of the collector's `moved_masters`) stand before item i; the last
             entries stand after the whole event. `items` are what `name` names in evidence: release id and title.
    """

    name: Callable[[Any], dict[str, Any]]
    items: list[Any] = field(default_factory=list)
    counters: list[dict[str, int]] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)

    def mark(self, collector: Collector) -> None:
        """Note where the numbers stand now."""
        self.counters.append(collector.counters.copy())
        self.moved.append(len(collector.moved_masters))

    def crossing(self, value: Callable[[dict[str, int]], int], target: int) -> dict[str, Any] | None:
        """The last item at which the number came from below the target to it; None where no item did that."""
        for at in range(len(self.items) - 1, -1, -1):
            if value(self.counters[at]) < target <= value(self.counters[at + 1]):
                return self.name(self.items[at])
        return None


@dataclass(slots=True)
class _Candidate:
    badge: BadgeDefinition
    collector: Collector
    context: str
    event: Event
    awarded_at: datetime
    evidence: dict[str, Any]
    oldest_year: int | None = None
    of_oldest_year: int = 0  # releases of that year that are counted
    in_memory: Mapping[int, tuple[str | None, int | None] | None] = field(default_factory=dict)

    @property
    def name(self) -> Name:
        return self.collector.user_id, self.badge.key, self.context


class Awarding:
    """Collects what the events of one transaction earned; the first event to earn an award is the one that counts."""

    def __init__(self, catalog: Catalog, in_memory: InMemory) -> None:
        self._catalog = catalog
        self._in_memory = in_memory
        self._candidates: dict[Name, _Candidate] = {}
        self._counted: dict[str, list[str]] = {}

    def _asked(self, trigger: str) -> list[str]:
        """The counters that a badge of this trigger reads."""
        if trigger not in self._counted:
            metrics = self._catalog.trigger(trigger).metrics
            self._counted[trigger] = [metric for metric in COUNTERS if metric in metrics]
        return self._counted[trigger]

    def judge_steps(self, event: Event, collector: Collector, steps: Steps) -> None:
        """Evaluate what an event moved; call it after the whole event, with its steps."""
        index = self._catalog.trigger(event.type)
        before, after = steps.counters[0], steps.counters[-1]
        if before != after:
            for metric in self._asked(event.type):
                was, now = before[metric], after[metric]
                if was == now:
                    continue
                for badge in index.crossed(metric, was, now):
                    item = steps.crossing(lambda at, metric=metric: at[metric], _target(badge))  # type: ignore[misc]
                    self._judge(event, collector, badge, "", item)
                for badge in index.compounds(metric):
                    self._judge(event, collector, badge, "", None)
        if collector.moved_masters:
            self._judge_masters(event, collector, steps)
        self._judge_age(event, collector, steps)

    def _judge_masters(self, event: Event, collector: Collector, steps: Steps) -> None:
        index = self._catalog.trigger(event.type)
        spans: dict[int, tuple[int, int]] = {}
        for master, was, now in collector.moved_masters:
            spans[master] = (spans[master][0] if master in spans else was, now)
        for master, (was, now) in spans.items():
            for badge in index.crossed("pressings", was, now):
                self._judge(event, collector, badge, f"master:{master}", _master_item(collector, steps, master, badge))
        collector.moved_masters.clear()

    def _judge_age(self, event: Event, collector: Collector, steps: Steps) -> None:
        """Ages move with the calendar: what was passed is measured against the greatest age ever evaluated."""
        oldest, year = collector.oldest_year, event.time.year
        if oldest is None or year - oldest <= collector.age_seen:
            return
        index = self._catalog.trigger(event.type)
        if "oldest_age_years" not in index.metrics:
            return  # leave the line for a trigger that asks for ages
        for badge in index.crossed("oldest_age_years", collector.age_seen, year - oldest):
            item = steps.crossing(lambda at: year - at["oldest_year"] if at["oldest_year"] else -1, _target(badge))
            self._judge(event, collector, badge, "", item)
        collector.age_seen = year - oldest
        collector.changed = True

    def judge_tenure(self, event: Event, collector: Collector, occasion: Occasion) -> None:
        """Evaluate years of membership at the occasion's date."""
        for badge in self._catalog.trigger(event.type).tenures:
            verdict = evaluate(badge, collector, occasion)
            if verdict.earned:
                self._add(event, collector, verdict, occasion.time)

    def judge_everything(self, event: Event, collector: Collector, occasion: Occasion) -> None:
        """Evaluate every badge in every context; the collector holds all of its counts."""
        for verdict in evaluate_all(self._catalog.trigger(SWEEP).badges, collector, occasion):
            if verdict.earned:
                self._add(event, collector, verdict, occasion.time)
        if collector.oldest_year is not None:
            collector.age_seen = max(collector.age_seen, occasion.on.year - collector.oldest_year)

    def judge_trigger(self, event: Event, collector: Collector, occasion: Occasion) -> None:
        """Evaluate every badge of the event's trigger; the collector holds what they ask for."""
        for verdict in evaluate_all(self._catalog.trigger(event.type).badges, collector, occasion):
            if verdict.earned:
                self._add(event, collector, verdict, occasion.time)

    def _judge(
        self, event: Event, collector: Collector, badge: BadgeDefinition, context: str, item: dict[str, Any] | None
    ) -> None:
        verdict = evaluate(badge, collector, Occasion(event.type, event.time, event.time.date()), context)
        if verdict.earned:
            self._add(event, collector, verdict, event.time, item)

    def _add(
        self,
        event: Event,
        collector: Collector,
        verdict: Verdict,
        awarded_at: datetime,
        item: dict[str, Any] | None = None,
    ) -> None:
        evidence = dict(verdict.evidence)
        if item is not None:
            evidence["earned_with"] = item
        found = _Candidate(verdict.badge, collector, verdict.context, event, awarded_at, evidence)
        if found.name in self._candidates:
            return
        if evidence.get("metric") == "oldest_age_years":
            found.oldest_year = year = collector.oldest_year
            found.of_oldest_year = collector.years.between(year, year) if year is not None else 0
            found.in_memory = self._in_memory(collector.user_id)
        self._candidates[found.name] = found

    async def settle(self, connection: Connection) -> list[NewAward]:
        """Store what was earned and not held yet, with its messages; answers the new awards in the order of events."""
        if not self._candidates:
            return []
        badges = self._catalog.badges
        keys = {tier.key for _, key, _ in self._candidates for tier in self._catalog.families[badges[key].family]}
        users = {user for user, _, _ in self._candidates}
        held = await awards.held(connection, users, keys, {context for _, _, context in self._candidates})
        new: list[tuple[NewAward, Message]] = []
        by_event: dict[bytes | tuple[str, str, str], list[_Candidate]] = {}
        for name, candidate in self._candidates.items():
            if name not in held:
                event = candidate.event
                by_event.setdefault((event.source, event.id, name[0]), []).append(candidate)
        # As if one by one: what a later event of the bundle earns is not held yet when an earlier one is told of.
        for group in by_event.values():
            held |= {candidate.name for candidate in group}
            batch_id = uuid5(
                BATCHES, json.dumps([group[0].event.source, group[0].event.id, group[0].collector.user_id])
            )
            for candidate in group:
                await self._complete(connection, candidate)
                new.append(self._award(candidate, batch_id, held))
        stored = await awards.insert(connection, [award for award, _ in new])
        fresh = [pair for pair in new if (pair[0].user_id, pair[0].badge_key, pair[0].context) in stored]
        await awards.publish(connection, [message for _, message in fresh])
        return [award for award, _ in fresh]

    async def _complete(self, connection: Connection, candidate: _Candidate) -> None:
        """Name the oldest record: of those in memory and those only stored, the smallest release id."""
        year = candidate.oldest_year
        if year is None:
            return
        found = {one: known[0] for one, known in candidate.in_memory.items() if known is not None and known[1] == year}
        if len(found) < candidate.of_oldest_year:
            user_id = candidate.collector.user_id
            stored = await ownership.oldest(connection, user_id, year)
            found |= {one: facts.title for one, facts in stored.items() if one not in candidate.in_memory}
        release_id = min(found)
        candidate.evidence["oldest"] = {"release_id": release_id, "title": found[release_id], "year": year}

    def _award(self, candidate: _Candidate, batch_id: UUID, held: set[Name]) -> tuple[NewAward, Message]:
        badge, event, user_id = candidate.badge, candidate.event, candidate.collector.user_id
        tiers = self._catalog.families[badge.family]
        highest = not any(
            (user_id, tier.key, candidate.context) in held for tier in tiers if tier.tier_index > badge.tier_index
        )
        award = NewAward(
            user_id,
            badge.key,
            candidate.context,
            award_id(user_id, badge.key, candidate.context, candidate.collector.erased_at),
            candidate.awarded_at,
            event.type,
            {"source": event.source, "id": event.id},
            batch_id,
            candidate.evidence,
        )
        told = _Awarded(
            award_id=str(award.award_id),
            revision=1,
            user_id=user_id,
            badge=_badge(badge),
            context=candidate.context,
            awarded_at=rfc3339(candidate.awarded_at),
            source="auto",
            trigger=event.type,
            caused_by=_Cause(source=event.source, id=event.id),
            batch_id=str(award.batch_id),
            highest_in_family=highest,
            notify=True,
            evidence=candidate.evidence,
        )
        value = msgspec.json.encode(told, order="sorted")
        return award, Message("badge.awarded", user_id, f"{award.award_id}:1", candidate.awarded_at, value)


@cache
def _badge(badge: BadgeDefinition) -> Any:
    return _Badge(
        key=badge.key,
        family=badge.family,
        tier=badge.tier,
        tier_index=badge.tier_index,
        name=badge.name,
        category=badge.category,
        icon=badge.icon,
    )


def _target(badge: BadgeDefinition) -> int:
    return int(getattr(badge.criterion, "at_least", 0))


def _master_item(collector: Collector, steps: Steps, master: int, badge: BadgeDefinition) -> dict[str, Any] | None:
    target = _target(badge)
    for at in range(len(steps.items) - 1, -1, -1):
        moved = [one for one in collector.moved_masters[steps.moved[at] : steps.moved[at + 1]] if one[0] == master]
        if moved and moved[0][1] < target <= moved[-1][2]:
            return steps.name(steps.items[at])
    return None


def occasion_at(trigger: str, time: datetime) -> Occasion:
    """The occasion of an event that names no date of its own: the UTC date of its time."""
    return Occasion(trigger, time, time.astimezone(UTC).date())
