"""The engine: every criterion kind has its evaluator, every badge its verdict."""

from datetime import UTC, date, datetime
from typing import get_args

from catalog.definition import CRITERIA, Criterion, Threshold
from catalog.index import load_catalog
from catalog.ladders import single_badge
from contracts.snapshot import FrozenSnapshot, Occasion
from evaluators.engine import EVALUATORS, evaluate, evaluate_all

OCCASION = Occasion("cron.sweep", datetime(2024, 6, 15, tzinfo=UTC), date(2024, 6, 15))
SNAPSHOT = FrozenSnapshot(
    "ada",
    joined_on=date(2022, 6, 15),
    oldest_year=1980,
    counts={"genres": 11, "releases": 40, "deep_cuts": 1},
    contextual={"pressings": {"master:9": 5, "master:10": 2}},
    evidence={("pressings", "master:9"): {"master": "Kind of Blue", "master_id": 9}},
)


def test_each_criterion_kind_has_one_evaluator_and_each_evaluator_a_kind() -> None:
    union = get_args(get_args(Criterion)[0])
    assert set(EVALUATORS) == set(CRITERIA) == set(union)


def test_a_verdict_carries_badge_context_and_evidence() -> None:
    badge = load_catalog().badges["master-collector-silver"]
    verdict = evaluate(badge, SNAPSHOT, OCCASION, "master:9")
    assert verdict.badge is badge
    assert verdict.context == "master:9"
    assert (verdict.earned, verdict.value, verdict.target) == (True, 5, 5)
    assert verdict.evidence == {
        "metric": "pressings",
        "value": 5,
        "target": 5,
        "master": "Kind of Blue",
        "master_id": 9,
    }


def test_a_whole_catalog_is_evaluated_in_order_with_one_verdict_per_context() -> None:
    catalog = load_catalog()
    verdicts = evaluate_all(catalog.trigger("cron.sweep").badges, SNAPSHOT, OCCASION)
    assert len(verdicts) == len(catalog.badges) - 12 + 2 * 4
    assert [(v.badge.key, v.context) for v in verdicts if v.earned] == [
        ("master-collector-bronze", "master:9"),
        ("master-collector-silver", "master:9"),
        ("genre-tourist-bronze", ""),
        ("genre-tourist-silver", ""),
        ("vinyl-archaeologist-bronze", ""),
        ("vinyl-archaeologist-silver", ""),
        ("deep-cut", ""),
        ("owner-i", ""),
        ("owner-ii", ""),
        ("anniversary-i", ""),
        ("anniversary-ii", ""),
    ]


def test_a_badge_with_contexts_has_no_verdict_where_there_are_none() -> None:
    ladder = load_catalog().families["master-collector"]
    assert evaluate_all(ladder, FrozenSnapshot("ada"), OCCASION) == []


def test_verdicts_depend_on_nothing_but_their_arguments() -> None:
    badges = load_catalog().badges.values()
    assert evaluate_all(badges, SNAPSHOT, OCCASION) == evaluate_all(badges, SNAPSHOT, OCCASION)


def test_contexts_of_another_kind_are_left_alone() -> None:
    (badge,) = single_badge(
        "per-label",
        "Per Label",
        category="completionist",
        criterion=Threshold(metric="pressings", at_least=1),
        description="For tests",
        triggers=("ownership.added",),
        context_kind="label",
    )
    assert evaluate_all([badge], SNAPSHOT, OCCASION) == []
