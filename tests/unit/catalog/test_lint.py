"""The lint: the real catalog obeys every rule, and each broken rule is named."""

from typing import Any

import pytest

from catalog.definition import All, BadgeDefinition, Criterion, Manual, Tenure, Threshold
from catalog.index import every_badge, load_catalog
from catalog.ladders import coverage_ladder, single_badge, tenure_ladder, threshold_ladder
from catalog.lint import faults, warnings

GENRES = Threshold(metric="genres", at_least=5)
PRESSINGS = Threshold(metric="pressings", at_least=5)


def badge(criterion: Criterion = GENRES, **changes: Any) -> BadgeDefinition:
    (made,) = single_badge(
        "test", "Test", category="special", criterion=criterion, description="For tests", triggers=("ownership.added",)
    )
    return made.model_copy(update=changes)


def ladder(targets: tuple[int, ...] = (5, 10)) -> tuple[BadgeDefinition, ...]:
    return threshold_ladder(
        "test",
        "Test",
        category="breadth",
        metric="genres",
        targets=targets,
        triggers=("ownership.added",),
        description="{n}",
    )


def test_the_catalog_has_no_faults() -> None:
    assert faults(every_badge()) == []


def test_tiers_above_a_ceiling_are_warned_of() -> None:
    assert warnings(every_badge()) == [
        "genre-tourist-gold: out of reach: genres >= 20, and genres ends at 15",
        "genre-tourist-platinum: out of reach: genres >= 30, and genres ends at 15",
    ]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (badge(key="other"), "other: the key must be test"),
        (badge(key="Te st", family="Te st"), "Te st: a key is made of lower-case words joined by hyphens"),
        (badge(description=" "), "test: name and description must say something"),
        (badge(icon="special-lead"), "test: there is no icon 'special-lead'"),
        (badge(icon="golden"), "test: there is no icon 'golden'"),
        (badge(triggers=()), "test: it has no trigger, so nothing but a sweep would ask for it"),
        (badge(Threshold(metric="spins", at_least=1)), "test: the snapshot has no metric 'spins'"),
        (
            badge(All(criteria=(GENRES, Threshold(metric="spins", at_least=1)))),
            "test: the snapshot has no metric 'spins'",
        ),
        (badge(PRESSINGS), "test: metric 'pressings' is counted per master, but the badge's context kind is ''"),
        (
            badge(PRESSINGS, context_kind="label"),
            "test: metric 'pressings' is counted per master, but the badge's context kind is 'label'",
        ),
        (
            badge(context_kind="master"),
            "test: its context kind is 'master', but none of its metrics is counted per master",
        ),
        (badge(tier_index=1), "test: tiers must be numbered 0 to 0, found [1]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_rule_is_named(wrong: BadgeDefinition, fault: str) -> None:
    assert fault in faults([wrong])


def test_an_unknown_trigger_is_named_with_the_known_ones() -> None:
    (fault,) = faults([badge(triggers=("ownership.added", "badge.awarded"))])
    assert fault.startswith("test: unknown trigger 'badge.awarded'; known are ")
    assert "ownership.added" in fault


def test_a_key_used_twice() -> None:
    found = faults([badge(), badge()])
    assert "test: the key is used 2 times" in found


@pytest.mark.parametrize("targets", [(10, 5), (5, 5)])
def test_targets_must_rise(targets: tuple[int, int]) -> None:
    assert faults(ladder(targets)) == [
        f"test: targets must rise: test-silver asks {targets[1]} after {targets[0]} of test-bronze"
    ]


def test_tenure_targets_must_rise_too() -> None:
    years = tenure_ladder(
        "test", "Test", category="community", years=(3, 2), triggers=("cron.anniversary",), description="{n}"
    )
    assert faults(years) == ["test: targets must rise: test-silver asks 2 after 3 of test-bronze"]


def test_shares_rise_like_other_targets() -> None:
    found = faults(
        coverage_ladder(
            "test",
            "Test",
            category="completionist",
            of="label",
            percents=(50, 25),
            triggers=("ownership.added",),
            description="{n}",
        )
    )
    assert "test: targets must rise: test-silver asks 25 after 50 of test-bronze" in found


def test_tiers_of_a_family_agree() -> None:
    bronze, silver = ladder()
    found = faults([bronze, silver.model_copy(update={"name": "Toast", "category": "special", "sort_score": 0})])
    assert found == [
        "test: its tiers differ in category: breadth, special",
        "test: its tiers differ in name: Test, Toast",
        "test: sort scores must rise: test-silver has 0 after 210 of test-bronze",
    ]


def test_a_tier_less_badge_stands_alone() -> None:
    bronze, _ = ladder()
    assert "test: a badge without tier stands beside others of its family" in faults([bronze, badge(tier_index=1)])


def test_a_badge_given_by_hand_needs_no_trigger() -> None:
    assert faults([badge(Manual(), triggers=())]) == []


def test_a_ladder_with_more_targets_than_tiers_is_refused() -> None:
    with pytest.raises(ValueError, match="test: 5 targets, but only 4 tiers"):
        ladder((1, 2, 3, 4, 5))


def test_a_ladder_may_stop_early() -> None:
    assert [tier.key for tier in ladder((5, 10, 15))] == ["test-bronze", "test-silver", "test-gold"]


def test_tenure_below_one_year_is_no_rule() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Tenure(years=0)


def test_the_catalog_is_built_once() -> None:
    assert load_catalog() is load_catalog()
