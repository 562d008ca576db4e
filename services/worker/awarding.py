"""From moved metrics to awards: which lines an event crossed, and what is told of it."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from catalog.definition import SWEEP, BadgeDefinition, metrics_of
from catalog.index import Catalog, TriggerIndex
from contracts.envelope import Event
from contracts.snapshot import Occasion
from evaluators.verdict import Verdict
from services.state.collector import COUNTERS, OF_CONTEXTS, Collector, Key
from services.state.holdings import Holding
from services.stores import awards
from services.stores.awards import Name, NewAward
from services.stores.postgres import Connection
from services.worker import costs
from services.worker.earned import Backfill, Candidate, Earned, award_id, batch_of, rule_of
from services.worker.evidence import TO_NAME, unnamed
from services.worker.messages import awarded
from services.worker.steps import Steps

# The releases of users, by id, that the transaction has at hand. No function: one that names its owner is a cycle.
Holdings = Mapping[str, Mapping[int, Holding]]


class Awarding:
    """Collects what the events of one transaction earned; the first event to earn an award is the one that counts."""

    def __init__(self, catalog: Catalog, holdings: Holdings, backfill: Backfill | None = None) -> None:
        self._catalog = catalog
        self._holdings = holdings
        self._backfill = backfill
        self._candidates: dict[Name, Candidate] = {}
        self._counted: dict[str, list[str]] = {}
        self._found: Tally[str] = Tally()
        self._evaluate, self._evaluate_all = costs.evaluators()

    def all_found(self, user_id: str) -> bool:
        """Whether nothing of a backfill is left to find for this user."""
        return self._backfill is not None and self._found[user_id] == len(self._backfill.due[user_id])

    def _index(self, trigger: str) -> TriggerIndex:
        return self._catalog.trigger(trigger) if self._backfill is None else self._backfill.index

    def _asked(self, trigger: str) -> list[str]:
        """The counters that a badge of this trigger reads."""
        if trigger not in self._counted:
            metrics = self._index(trigger).metrics
            self._counted[trigger] = [metric for metric in COUNTERS if metric in metrics]
        return self._counted[trigger]

    def judge_steps(self, event: Event, collector: Collector, steps: Steps) -> None:
        """Evaluate what an event moved; call it after the whole event, with its steps."""
        index = self._index(event.type)
        before, after = steps.counters[0], steps.counters[-1]
        if before != after:
            for metric in self._asked(event.type):
                was, now = before[metric], after[metric]
                if was == now:
                    continue
                for badge in index.crossed(metric, was, now):
                    item = steps.crossing(lambda at, metric=metric: at[metric], _target(badge))  # type: ignore[misc]
                    self._judge(event, collector, badge, "", item)
                for badge in index.compounds.get(metric, ()):
                    self._judge(event, collector, badge, "", None)
        if collector.moved:
            self._judge_contexts(event, collector, steps)
        self._judge_age(event, collector, steps)

    def _judge_contexts(self, event: Event, collector: Collector, steps: Steps) -> None:
        """Masters, labels and artists that moved, each measured before and after the whole event."""
        index = self._index(event.type)
        spans: dict[Key, tuple[int, int]] = {}
        for key, was, now in collector.moved:
            spans[key] = (spans[key][0] if key in spans else was, now)
        for key, (was, now) in spans.items():
            metric, kind = OF_CONTEXTS[key[0]]
            context = f"{kind}:{key[1]}"
            for badge in index.crossed(metric, collector.measured(key, was), collector.measured(key, now)):
                self._judge(event, collector, badge, context, steps.crossing_of(collector, key, _target(badge)))
            if was != now:
                for badge in index.compounds.get(metric, ()):
                    self._judge(event, collector, badge, context, None)
        collector.moved.clear()

    def _judge_age(self, event: Event, collector: Collector, steps: Steps) -> None:
        """Ages move with the calendar: what was passed is measured against the greatest age ever evaluated."""
        oldest, year = collector.counters["oldest_year"], event.time.year
        if not oldest or year - oldest <= collector.age_seen:
            return
        index = self._index(event.type)
        if "oldest_age_years" not in index.metrics:
            return  # leave the line for a trigger that asks for ages
        for badge in index.crossed("oldest_age_years", collector.age_seen, year - oldest):
            item = steps.crossing(lambda at: year - at["oldest_year"] if at["oldest_year"] else -1, _target(badge))
            self._judge(event, collector, badge, "", item)
        collector.age_seen = year - oldest
        collector.changed = True

    def judge_tenure(self, event: Event, collector: Collector, occasion: Occasion) -> None:
        """Evaluate years of membership at the occasion's date."""
        for badge in self._index(event.type).tenures:
            verdict = self._evaluate(badge, collector, occasion, "")
            if verdict.earned:
                self._add(event, collector, verdict, occasion.time)

    def judge_everything(self, event: Event, collector: Collector, occasion: Occasion) -> None:
        """Evaluate every badge in every context; the collector holds all of its counts."""
        for verdict in self._evaluate_all(self._catalog.trigger(SWEEP).badges, collector, occasion):
            if verdict.earned:
                self._add(event, collector, verdict, occasion.time)
        if collector.oldest_year is not None:
            collector.age_seen = max(collector.age_seen, occasion.on.year - collector.oldest_year)

    def judge_trigger(self, event: Event, collector: Collector, occasion: Occasion) -> None:
        """Evaluate every badge of the event's trigger; the collector holds what they ask for."""
        for verdict in self._evaluate_all(self._index(event.type).badges, collector, occasion):
            if verdict.earned:
                self._add(event, collector, verdict, occasion.time)

    def judge_metrics(self, event: Event, collector: Collector, metrics: frozenset[str]) -> None:
        """Evaluate every badge that reads one of these metrics, at the event's date."""
        badges = [badge for badge in self._index(event.type).badges if metrics & metrics_of(badge.criterion)]
        for verdict in self._evaluate_all(badges, collector, occasion_at(event.type, event.time)):
            if verdict.earned:
                self._add(event, collector, verdict, event.time)

    def _judge(
        self, event: Event, collector: Collector, badge: BadgeDefinition, context: str, item: dict[str, Any] | None
    ) -> None:
        verdict = self._evaluate(badge, collector, Occasion(event.type, event.time, event.time.date()), context)
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
        if self._backfill is not None:
            due = self._backfill.due[collector.user_id]
            if (verdict.badge.key, verdict.context) not in due:
                return
        evidence = dict(verdict.evidence)
        if item is not None:
            evidence["earned_with"] = item
        found = Candidate(verdict, collector, event, awarded_at, evidence)
        if found.name in self._candidates:
            return
        metric = evidence.get("metric")
        if metric in TO_NAME:
            found.unnamed = unnamed(metric, collector, self._holdings.get(collector.user_id, {}), item)
        self._candidates[found.name] = found
        self._found[collector.user_id] += 1

    async def settle(self, connection: Connection, held: set[Name] | None = None) -> list[NewAward]:
        """Store what was earned and not held yet, tell of what is shown; answers new awards in the order of events.

        Shape:   `held` is all that these users hold, where the caller knows.
        """
        if not self._candidates:
            return []
        if held is None:
            held = await self._held(connection)
        new = await self.take(connection, held)
        stored = await awards.insert(connection, [one.award for one in new])
        fresh = [one for one in new if one.award.name in stored]
        await awards.publish(
            connection,
            [
                awarded(
                    one.award.name,
                    one.award,
                    one.candidate.verdict.badge,
                    one.award.awarded_at,
                    highest=one.highest_in_family,
                    notify=one.notify,
                )
                for one in fresh
                if not one.award.shadow
            ],
        )
        return [one.award for one in fresh]

    async def _held(self, connection: Connection) -> set[Name]:
        """What these users hold of the families that were earned."""
        badges = self._catalog.badges
        users, earned, contexts = map(set, zip(*self._candidates, strict=True))
        families = {badges[key].family for key in earned}
        keys = {tier.key for family in families for tier in self._catalog.families[family]}
        return await awards.held(connection, users, keys, contexts)

    @property
    def candidates(self) -> Iterable[Candidate]:
        """What was earned since the last `take`, also what is held already, in the order of events."""
        return self._candidates.values()

    async def take(self, connection: Connection, held: set[Name]) -> list[Earned]:
        """What was earned and is not `held`, in the order of events, and joins it; nothing is written.

        Shape:   `held` has what these users hold of the families that were earned.
        """
        new: list[Earned] = []
        by_event: dict[tuple[str, str, str], list[Candidate]] = {}
        for name, candidate in self._candidates.items():
            if name not in held:
                event = candidate.event
                by_event.setdefault((event.source, event.id, name[0]), []).append(candidate)
        # As if one by one: what a later event of the bundle earns is not held yet when an earlier one is told of.
        for group in by_event.values():
            held |= {candidate.name for candidate in group}
            batch_id = batch_of(group[0])
            told = group if self._backfill is None else self._backfill.told(group)
            for candidate in group:
                if candidate.unnamed is not None:
                    candidate.evidence |= await candidate.unnamed.named(connection)
                new.append(self._award(candidate, batch_id, held, notify=candidate in told))
        self._candidates = {}
        return new

    def _award(self, candidate: Candidate, batch_id: str, held: set[Name], *, notify: bool) -> Earned:
        user_id, key, context = candidate.name
        badge, event = candidate.verdict.badge, candidate.event
        tiers = self._catalog.families[badge.family]
        higher = (tier.key for tier in tiers if tier.tier_index > badge.tier_index and not tier.shadow)
        highest = not any((user_id, tier, context) in held for tier in higher)
        award = NewAward(
            user_id,
            key,
            context,
            award_id(user_id, key, context, candidate.collector.erased_at),
            candidate.awarded_at,
            event.type,
            {"source": event.source, "id": event.id},
            batch_id,
            candidate.evidence,
            rule_of(badge),
            "auto" if self._backfill is None else "backfill",
            None if self._backfill is None else self._backfill.campaign_id,
            badge.shadow,
            notify,
        )
        return Earned(award, candidate, highest, notify)


def _target(badge: BadgeDefinition) -> int:
    """The number to cross; 0 where the criterion has none."""
    criterion = badge.criterion
    return int(getattr(criterion, "at_least", 0) or getattr(criterion, "percent", 0))


def occasion_at(trigger: str, time: datetime) -> Occasion:
    """The occasion of an event that names no date of its own: the UTC date of its time."""
    return Occasion(trigger, time, time.astimezone(UTC).date())
