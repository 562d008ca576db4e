"""A user's past from the stored sets: what is owned and done today, counted again in the order of its dates.

What the sets do not keep is not there: a copy that was removed, a date that a later statement on the same copy moved.
Facts and totals are those of today. A rule that is met now was first met when this past met it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from msgspec import structs

from catalog.definition import TENURE_METRIC, Tenure, Threshold, leaves
from catalog.index import TriggerIndex
from contracts.envelope import Event
from contracts.snapshot import MOVING
from services.state.collector import Collector
from services.state.facts import Stamp
from services.state.graph import METRICS as OF_GRAPH
from services.state.holdings import Holding
from services.state.narrowed import Narrowed
from services.worker.awarding import Awarding
from services.worker.evidence import named_holding, named_wish
from services.worker.recounting import Recount
from services.worker.steps import Steps

AGE: Final = "oldest_age_years"
GRAPH: Final = frozenset(OF_GRAPH)

Item = tuple[str, Any]  # "copy" and a holding, or a kind of activity and an object's id


class Lines(NamedTuple):
    """What rules ask of the calendar: ages of the oldest record and years of membership."""

    ages: frozenset[int]
    tenures: frozenset[int]

    @classmethod
    def of(cls, index: TriggerIndex) -> Lines:
        """Those of an index, wherever in a rule they stand."""
        rules = [leaf for badge in index.badges for leaf in leaves(badge.criterion)]
        thresholds = [leaf for leaf in rules if isinstance(leaf, Threshold)]
        tenures = [leaf.years for leaf in rules if isinstance(leaf, Tenure)]
        tenures += [leaf.at_least for leaf in thresholds if leaf.metric == TENURE_METRIC]
        return cls(frozenset(leaf.at_least for leaf in thresholds if leaf.metric == AGE), frozenset(tenures))


class Replay:
    """The past of one user, played once.

    Shape:   `holdings` are those of the releases that are counted by now; `measured_at` is when the graph was. What
             the badges of `judge` do not read, `counter` may leave out.
    """

    def __init__(self, found: Recount, counter: Narrowed, measured_at: datetime | None) -> None:
        self._found = found
        self._counter = counter
        self._measured_at = measured_at
        self.holdings: dict[int, Holding] = {}

    def judge(self, awarding: Awarding, index: TriggerIndex, lines: Lines, event: Event, until: datetime) -> None:
        """Let everything happen again, as events of their own times that are otherwise like `event`.

        `lines` are those of `index`; days of the calendar count up to `until`.
        """
        now = self._found.collector
        collector = Collector(now.user_id, erased_at=now.erased_at)
        collector.totals = now.totals
        moving = any(metric in index.compounds for metric in MOVING)
        said = self._said()
        moments: list[tuple[datetime, int, list[Item]]] = [
            (stamp.time, 1, [item for _, item in items]) for stamp, items in groupby(said, key=lambda one: one[0])
        ]
        moments += [(day, 0, []) for day in self._days(lines, said) if day <= until]
        if self._measured_at is not None and index.metrics & GRAPH:
            moments.append((self._measured_at, 2, []))
        for time, order, items in sorted(moments, key=lambda one: one[:2]):
            past = structs.replace(event, time=time)
            if order == 2:
                collector.graph = now.graph
                awarding.judge_metrics(past, collector, GRAPH)
            elif items:
                awarding.judge_steps(past, collector, self._step(collector, items))
            if moving or not items or items[0][0] == "join":
                awarding.judge_metrics(past, collector, MOVING)
            if awarding.all_found(now.user_id):
                return

    def _step(self, collector: Collector, items: Iterable[Item]) -> Steps:
        """Count what one event left."""
        steps: Steps | None = None
        for kind, one in items:
            if steps is None:
                steps = Steps(named_holding if kind == "copy" else named_wish)
                steps.mark(collector)
            if kind == "copy":
                collector.count(self._counter(one.counted), 1, one.first_pressing)
                self.holdings[one.release_id] = one
                steps.items.append(one)
            else:
                collector.count_activity(kind, 1)
                if kind == "join":
                    joined = date.fromisoformat(one)
                    collector.joined_on = min(collector.joined_on or joined, joined)
                elif kind == "wish":
                    steps.items.append(int(one))
            steps.mark(collector)
        assert steps is not None
        return steps

    def _said(self) -> list[tuple[Stamp, Item]]:
        """What is there, in the order in which it came: a release with the first of its copies."""
        first: dict[int, Stamp] = {}
        for copy in self._found.copies.values():
            if copy.present and copy.release_id is not None:
                first[copy.release_id] = min(first.get(copy.release_id, copy.stamp), copy.stamp)
        said: list[tuple[Stamp, Item]] = [
            (stamp, ("copy", holding))
            for release, stamp in first.items()
            if (holding := self._found.holdings[release]).counted is not None
        ]
        said += [(fact.stamp, (kind, id_)) for (kind, id_), fact in self._found.objects.items() if fact.present]
        return sorted(said, key=lambda one: one[0])

    def _days(self, lines: Lines, said: Iterable[tuple[Stamp, Item]]) -> Iterator[datetime]:
        """The days on which the calendar alone may have met a rule: ages on New Year's Day, years of membership."""
        ages, tenures = lines
        if not ages and not tenures:
            return
        years: set[int] = set()
        joined: set[date] = set()
        for _, (kind, one) in said:
            if kind == "copy" and (year := self._counter(one.counted).year) and year < min(years, default=9999):
                years.add(year)
            elif kind == "join":
                joined.add(date.fromisoformat(one))
        yield from (datetime(year + age, 1, 1, tzinfo=UTC) for year in years for age in ages if year + age <= 9999)
        for day in joined:
            yield from (anniversary(day, number) for number in tenures if day.year + number <= 9999)


def anniversary(joined: date, years: int) -> datetime:
    """When so many years of membership are full: of 29 February on the 28th in common years."""
    try:
        day = joined.replace(year=joined.year + years)
    except ValueError:
        day = date(joined.year + years, 2, 28)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
