"""The catalog as the worker asks it: by key, by family, by trigger, and inside a trigger by metric and threshold."""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from catalog import breadth, community, completionist, graph, lint, special, temporal
from catalog.definition import SWEEP, BadgeDefinition, Coverage, Manual, Tenure, Threshold, coverage_metric, metrics_of
from contracts.topics import INPUT_TOPICS


class CatalogError(Exception):
    """The catalog breaks its own rules."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join((f"{self.__doc__} ({len(self.faults)}):", *self.faults)))


class TriggerIndex:
    """The badges of one trigger, so arranged that passing a threshold is a bisect and not a scan."""

    __slots__ = ("_ladders", "_rungs", "_whole", "badges", "compounds", "metrics", "tenures")

    def __init__(self, badges: Iterable[BadgeDefinition]) -> None:
        self.badges = tuple(badges)
        thresholds: dict[str, list[tuple[int, BadgeDefinition]]] = {}
        tenures: list[tuple[int, BadgeDefinition]] = []
        compounds: dict[str, list[BadgeDefinition]] = {}
        for badge in self.badges:
            match badge.criterion:
                case Threshold(metric=metric, at_least=target):
                    thresholds.setdefault(metric, []).append((target, badge))
                case Coverage(percent=percent):
                    thresholds.setdefault(coverage_metric(badge.criterion), []).append((percent, badge))
                case Tenure(years=years):
                    tenures.append((years, badge))
                case _:
                    for metric in metrics_of(badge.criterion):
                        compounds.setdefault(metric, []).append(badge)
        self._ladders = {metric: _ascending(rungs) for metric, rungs in thresholds.items()}
        self._rungs = {metric: _by_target(rungs) for metric, rungs in thresholds.items()}
        self._whole = tuple(badge for badge in self.badges if not isinstance(badge.criterion, Threshold | Coverage))
        self.tenures = _ascending(tenures)[1]
        # Badges by metrics that they read in a way no bisect decides (All, Any, Not): they are evaluated whole.
        self.compounds: Mapping[str, tuple[BadgeDefinition, ...]] = {
            metric: tuple(group) for metric, group in compounds.items()
        }
        # What any of these badges counts: a metric that is not here cannot earn anything on this trigger.
        self.metrics = frozenset(self._ladders) | frozenset(self.compounds)

    def crossed(self, metric: str, before: int, after: int) -> Sequence[BadgeDefinition]:
        """The badges whose threshold on `metric` lies in `before < target <= after`, ascending.

        Units: whole percent, rounded down, of a coverage.
        """
        ladder = self._ladders.get(metric)
        if ladder is None:
            return ()
        if after - before == 1:  # nearly always: no search, however many rungs there are
            return self._rungs[metric].get(after, ())
        targets, badges = ladder
        return badges[bisect_right(targets, before) : bisect_right(targets, after)]

    def within(self, counts: Mapping[str, int]) -> list[BadgeDefinition]:
        """The badges that a user with these counts may have earned: all but those of a threshold that is not reached.

        Shape:   of a metric that is not counted here any threshold may be reached.
        """
        found = list(self._whole)
        for metric, (_, badges) in self._ladders.items():
            found += self.crossed(metric, 0, counts[metric]) if metric in counts else badges
        return found


class Catalog:
    """Every badge, checked once.

    Raises: CatalogError naming every fault at once.
    """

    def __init__(self, badges: Iterable[BadgeDefinition]) -> None:
        every = tuple(badges)
        if faults := lint.faults(every):
            raise CatalogError(faults)
        self._arrange(every)

    def _arrange(self, every: Sequence[BadgeDefinition]) -> None:
        self.badges: Mapping[str, BadgeDefinition] = MappingProxyType({badge.key: badge for badge in every})
        families: dict[str, list[BadgeDefinition]] = {}
        for badge in every:
            families.setdefault(badge.family, []).append(badge)
        self.families: Mapping[str, tuple[BadgeDefinition, ...]] = MappingProxyType(
            {family: tuple(sorted(tiers, key=lambda badge: badge.tier_index)) for family, tiers in families.items()}
        )
        earnable = [badge for badge in every if not badge.retired and not isinstance(badge.criterion, Manual)]
        self._triggers = {
            topic: TriggerIndex(badge for badge in earnable if topic == SWEEP or topic in badge.triggers)
            for topic in INPUT_TOPICS
        }

    @functools.cached_property
    def shown(self) -> Catalog:
        """What collectors may know of: the same without the badges that are in the shadow."""
        badges = [badge for badge in self.badges.values() if not badge.shadow]
        if len(badges) == len(self.badges):
            return self
        found = object.__new__(Catalog)  # a ladder that lacks a tier breaks rules of the whole catalog
        found._arrange(badges)
        return found

    def trigger(self, name: str) -> TriggerIndex:
        """The badges that an event of this topic may earn; retired ones and those given by hand are in none.

        Raises: KeyError where `name` is no input topic.
        """
        return self._triggers[name]

    def boot_lines(self) -> list[str]:
        """For the log of a worker that starts: how many badges each trigger asks, and of which families."""
        lines = [f"{len(self.badges)} badges in {len(self.families)} families"]
        for topic, index in self._triggers.items():
            if index.badges:
                families = sorted({badge.family for badge in index.badges})
                named = "all families" if topic == SWEEP else ", ".join(families)
                lines.append(f"{topic}: {len(index.badges)} badges ({named})")
        return lines


def every_badge() -> tuple[BadgeDefinition, ...]:
    """The badges of all category modules, not yet checked."""
    modules = (completionist, breadth, temporal, graph, special, community)
    return tuple(badge for module in modules for badge in module.BADGES)


@functools.cache
def load_catalog() -> Catalog:
    """The catalog of this release, built once per process.

    Raises: CatalogError naming every fault at once.
    """
    return Catalog(every_badge())


def _by_target(rungs: list[tuple[int, BadgeDefinition]]) -> dict[int, tuple[BadgeDefinition, ...]]:
    targets, badges = _ascending(rungs)
    return {at: badges[bisect_left(targets, at) : bisect_right(targets, at)] for at in set(targets)}


def _ascending(rungs: list[tuple[int, BadgeDefinition]]) -> tuple[tuple[int, ...], tuple[BadgeDefinition, ...]]:
    rungs = sorted(rungs, key=lambda rung: (rung[0], rung[1].key))
    return tuple(target for target, _ in rungs), tuple(badge for _, badge in rungs)
