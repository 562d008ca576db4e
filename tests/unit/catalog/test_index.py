"""The index answers as a scan over all badges would."""

import itertools
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.definition import SWEEP, All, Any_, BadgeDefinition, Coverage, Criterion, Manual, Not, Tenure, Threshold
from catalog.index import Catalog, CatalogError, TriggerIndex, load_catalog
from catalog.ladders import single_badge, threshold_ladder
from contracts.snapshot import METRICS, MOVING, FrozenSnapshot, Occasion
from contracts.topics import INPUT_TOPICS
from evaluators.engine import evaluate_all


def badge(key: str, criterion: Criterion, *triggers: str) -> BadgeDefinition:
    (made,) = single_badge(
        key, key.title(), category="special", criterion=criterion, description="For tests", triggers=triggers
    )
    return made


def scan(badges: tuple[BadgeDefinition, ...], metric: str, before: int, after: int) -> list[BadgeDefinition]:
    hits: list[tuple[int, str, BadgeDefinition]] = []
    for badge in badges:
        match badge.criterion:
            case Threshold(metric=name, at_least=target) if name == metric and before < target <= after:
                hits.append((target, badge.key, badge))
            case Coverage(of=of, percent=target) if f"{of}_coverage" == metric and before < target <= after:
                hits.append((target, badge.key, badge))
    return [found for *_, found in sorted(hits, key=lambda hit: hit[:2])]


@given(
    rules=st.lists(st.tuples(st.sampled_from(["genres", "styles", "labels"]), st.integers(1, 12)), max_size=30),
    metric=st.sampled_from(["genres", "styles", "labels", "reviews"]),
    before=st.integers(-1, 14),
    after=st.integers(-1, 14),
)
def test_crossed_equals_a_scan(rules: list[tuple[str, int]], metric: str, before: int, after: int) -> None:
    badges = tuple(
        badge(f"b{number}", Threshold(metric=name, at_least=target)) for number, (name, target) in enumerate(rules)
    )
    assert list(TriggerIndex(badges).crossed(metric, before, after)) == scan(badges, metric, before, after)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("trigger", INPUT_TOPICS)
def test_crossed_equals_a_scan_of_the_real_catalog(trigger: str, metric: str) -> None:
    index = load_catalog().trigger(trigger)
    for before, after in itertools.combinations((-1, 0, 1, 2, 3, 4, 5, 9, 10, 24, 25, 50, 99, 100, 1000), 2):
        assert list(index.crossed(metric, before, after)) == scan(index.badges, metric, before, after)


def test_a_metric_that_falls_or_stays_crosses_nothing() -> None:
    index = load_catalog().trigger("ownership.added")
    assert tuple(index.crossed("genres", 10, 10)) == ()
    assert tuple(index.crossed("genres", 10, 4)) == ()


def test_several_tiers_passed_at_once_come_ascending() -> None:
    crossed = load_catalog().trigger("ownership.added").crossed("genres", 0, 20)
    assert [found.key for found in crossed] == ["genre-tourist-bronze", "genre-tourist-silver", "genre-tourist-gold"]


def test_tenures_ascend() -> None:
    tenures = load_catalog().trigger("cron.anniversary").tenures
    assert [found.key for found in tenures] == [f"anniversary-{tier}" for tier in ("i", "ii", "iii", "iv", "v")]


def test_compounds_are_found_by_every_metric_they_read_and_never_crossed() -> None:
    both = badge(
        "both",
        All(criteria=(Threshold(metric="genres", at_least=2), Not(criterion=Tenure(years=1)))),
        "ownership.added",
    )
    index = Catalog([both]).trigger("ownership.added")
    assert index.compounds["genres"] == index.compounds["years_since_join"] == (both,)
    assert "styles" not in index.compounds
    assert tuple(index.crossed("genres", 0, 5)) == ()


def test_a_sweep_asks_every_badge_that_can_be_earned() -> None:
    kept = badge("kept", Threshold(metric="genres", at_least=1), "ownership.added")
    retired = kept.model_copy(update={"key": "retired", "family": "retired", "retired": True})
    by_hand = badge("by-hand", Manual())
    catalog = Catalog([kept, retired, by_hand])
    assert catalog.trigger(SWEEP).badges == (kept,)
    assert catalog.trigger("ownership.added").badges == (kept,)
    assert set(catalog.badges) == {"kept", "retired", "by-hand"}


def test_every_input_topic_has_an_index_and_other_names_none() -> None:
    catalog = load_catalog()
    assert all(isinstance(catalog.trigger(topic), TriggerIndex) for topic in INPUT_TOPICS)
    assert catalog.trigger("user.deleted").badges == ()
    with pytest.raises(KeyError):
        catalog.trigger("badge.awarded")


def test_families_are_ordered_by_tier_however_they_were_given() -> None:
    ladder = load_catalog().families["owner"]
    assert Catalog(reversed(ladder)).families["owner"] == ladder


def test_what_is_shown_is_the_catalog_without_its_shadows() -> None:
    """A tier in the middle of a ladder, and a whole family; where there is none it is the same catalog."""
    whole = load_catalog()
    hidden = {"owner-iii", "deep-cut"}
    mixed = Catalog(badge.model_copy(update={"shadow": badge.key in hidden}) for badge in whole.badges.values())
    shown = mixed.shown
    assert mixed.badges.keys() - shown.badges.keys() == hidden
    assert "deep-cut" not in shown.families
    assert [badge.key for badge in shown.families["owner"]] == ["owner-i", "owner-ii", "owner-iv", "owner-v"]
    assert [badge.key for badge in shown.trigger("ownership.added").crossed("releases", 9, 500)] == [
        "owner-ii",
        "owner-iv",
    ]
    assert len(mixed.trigger("ownership.added").crossed("releases", 9, 500)) == 3
    assert shown.shown is shown


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_earned_but_within_what_is_counted(seed: int) -> None:
    dice = random.Random(seed)
    either = badge("either", Any_(criteria=(Threshold(metric="genres", at_least=90), Tenure(years=1))))
    index = TriggerIndex((*load_catalog().trigger(SWEEP).badges, either))
    counted = [name for name, metric in METRICS.items() if not metric.context and name not in MOVING]
    counts = {name: dice.choice((0, 1, 5, 60, 5000)) for name in dice.sample(counted, len(counted) - 3)}
    snapshot = FrozenSnapshot(
        "ann",
        joined_on=date(2001, 1, 1),
        oldest_year=dice.choice((None, 1900, 2020)),
        counts=dict.fromkeys(counted, 5000) | counts,
        contextual={"pressings": {"master:7": dice.choice((1, 9, 90))}},
    )
    occasion = Occasion(SWEEP, datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1))

    def earned(badges: Iterable[BadgeDefinition]) -> set[tuple[str, str]]:
        return {(one.badge.key, one.context) for one in evaluate_all(badges, snapshot, occasion) if one.earned}

    within = index.within(counts)
    assert earned(within) == earned(index.badges)
    assert len(within) == len({one.key for one in within}) < len(index.badges)


def test_ladders_say_that_they_are_on_trial() -> None:
    words: dict[str, Any] = {"category": "special", "description": "For tests", "triggers": ("cron.sweep",)}
    ladder = threshold_ladder("test", "Test", metric="releases", targets=(1, 2), **words)
    trial = threshold_ladder("test", "Test", metric="releases", targets=(1, 2), shadow=True, **words)
    assert [badge.shadow for badge in (*ladder, *trial)] == [False, False, True, True]
    assert tuple(badge.model_copy(update={"shadow": False}) for badge in trial) == ladder
    (single,) = single_badge("test", "Test", criterion=Manual(), shadow=True, **words)
    assert single.shadow


def test_building_reports_every_fault_at_once() -> None:
    wrong = [
        badge("lost", Threshold(metric="spins", at_least=1), "ownership.added"),
        badge("deaf", Threshold(metric="genres", at_least=1)),
        badge("odd", Threshold(metric="genres", at_least=1), "ownership.stolen"),
    ]
    with pytest.raises(CatalogError) as caught:
        Catalog(wrong)
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["lost", "deaf", "odd"]
    assert all(fault in str(caught.value) for fault in caught.value.faults)


def test_boot_lines_count_the_badges_of_each_trigger() -> None:
    catalog = load_catalog()
    lines = catalog.boot_lines()
    assert lines[0] == f"{len(catalog.badges)} badges in {len(catalog.families)} families"
    assert "wishlist.added: 5 badges (wishlister)" in lines
    assert f"cron.sweep: {len(catalog.badges)} badges (all families)" in lines
    assert not any(line.startswith("user.deleted") for line in lines)
