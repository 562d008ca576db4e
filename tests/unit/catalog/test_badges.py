"""Every badge of the contract: its key, its target, the near miss and the one fact that earns it."""

from datetime import UTC, date, datetime

import pytest

from catalog.definition import SWEEP, BadgeDefinition, Coverage, Tenure, Threshold
from catalog.index import load_catalog
from contracts.snapshot import METRICS, FrozenSnapshot, Occasion
from evaluators.engine import evaluate
from tests.families import FAMILIES, METALS, ROMANS, TARGETS

TODAY = date(2024, 6, 15)
PLENTY = 100_000
CONTEXTS = {"master-collector": "master", "label-loyalist": "label", "discography-deep-dive": "artist"}
SHARES = (("label_coverage", "label:7"), ("artist_coverage", "artist:7"))


def collector(metric: str, level: int, elsewhere: int) -> FrozenSnapshot:
    """A collector with `level` of one metric and `elsewhere` of all others."""
    return FrozenSnapshot(
        user_id="ada",
        joined_on=joined_before(level if metric == "years_since_join" else elsewhere),
        oldest_year=TODAY.year - min(level if metric == "oldest_age_years" else elsewhere, 150),
        counts={name: level if name == metric else elsewhere for name in METRICS},
        evidence={
            (name, context): {"owned": level if name == metric else elsewhere, "total": 100} for name, context in SHARES
        },
        contextual={"pressings": {"master:7": level if metric == "pressings" else elsewhere, "master:8": elsewhere}},
    )


def joined_before(years: int) -> date:
    """Joined so that exactly `years` are full today, and one more would be tomorrow."""
    return date(TODAY.year - 1 - min(years, 150), TODAY.month, TODAY.day + 1)


def is_earned(badge: BadgeDefinition, snapshot: FrozenSnapshot) -> bool:
    occasion = Occasion(trigger=badge.triggers[0], time=datetime(2024, 6, 15, 12, tzinfo=UTC), on=TODAY)
    return evaluate(badge, snapshot, occasion, f"{badge.context_kind}:7" if badge.context_kind else "").earned


def test_the_catalog_has_the_badges_of_the_contract_and_a_case_for_each() -> None:
    assert set(load_catalog().badges) == set(TARGETS)
    assert set(load_catalog().families) == set(FAMILIES)


@pytest.mark.parametrize("key", TARGETS)
def test_near_miss_then_the_one_fact_that_earns(key: str) -> None:
    family, target = TARGETS[key]
    badge, metric = load_catalog().badges[key], FAMILIES[family].metric
    assert not is_earned(badge, collector(metric, 0, PLENTY)), f"{key} reads more than {metric}"
    assert not is_earned(badge, collector(metric, target - 1, PLENTY)), f"{key} is given too early"
    assert is_earned(badge, collector(metric, target, 0)), f"{key} needs more than {target} {metric}"
    assert is_earned(badge, collector(metric, target + 1, 0)), f"{key} is lost beyond its target"


@pytest.mark.parametrize("key", TARGETS)
def test_rule_and_words_are_those_of_the_contract(key: str) -> None:
    family, target = TARGETS[key]
    row, badge = FAMILIES[family], load_catalog().badges[key]
    if row.metric == "years_since_join":
        assert badge.criterion == Tenure(years=target)
    elif family in CONTEXTS and family != "master-collector":
        assert badge.criterion == Coverage(of=CONTEXTS[family], percent=target, min_total=5)
    else:
        assert badge.criterion == Threshold(metric=row.metric, at_least=target)
    assert badge.triggers == (row.trigger,)
    assert badge.category == row.category
    assert badge.context_kind == CONTEXTS.get(family, "")
    assert badge.tier == (row.tiers[badge.tier_index] if row.tiers else None)
    assert f"{target:,}" in badge.description or target == 1
    assert badge.name.lower().replace(" ", "-") == family
    assert (badge.secret, badge.hidden_until_earned, badge.retired) == (False, False, False)


def test_one_master_with_many_pressings_earns_nothing_for_another() -> None:
    badge = load_catalog().badges["master-collector-bronze"]
    snapshot = FrozenSnapshot("ada", contextual={"pressings": {"master:7": 2, "master:8": 25}})
    assert not is_earned(badge, snapshot)


@pytest.mark.parametrize("family", ["deep-cut", "vinyl-archaeologist", "anniversary"])
def test_what_is_unknown_earns_nothing(family: str) -> None:
    snapshot = FrozenSnapshot("ada", counts={"deep_cuts": None})
    assert not any(is_earned(badge, snapshot) for badge in load_catalog().families[family])


def test_descriptions_are_told_apart() -> None:
    descriptions = [badge.description for badge in load_catalog().badges.values()]
    assert len(set(descriptions)) == len(descriptions)
    assert all("{" not in description and not description.endswith(".") for description in descriptions)


def test_a_harder_tier_has_the_higher_sort_score() -> None:
    badges = load_catalog().badges.values()
    for easier in badges:
        for harder in badges:
            if easier.tier in METALS and harder.tier in METALS:
                rises = METALS.index(easier.tier) < METALS.index(harder.tier)
            elif easier.tier in ROMANS and harder.tier in ROMANS:
                rises = ROMANS.index(easier.tier) < ROMANS.index(harder.tier)
            else:
                continue
            assert not rises or easier.sort_score < harder.sort_score, f"{harder.key} should stand before {easier.key}"


@pytest.mark.parametrize("key", TARGETS)
def test_the_sweep_and_the_own_trigger_ask_for_the_badge(key: str) -> None:
    catalog = load_catalog()
    badge = catalog.badges[key]
    asked_by = {trigger for trigger in (*badge.triggers, SWEEP) if badge in catalog.trigger(trigger).badges}
    assert asked_by == {FAMILIES[badge.family].trigger, SWEEP}


def test_titles_carry_the_tier() -> None:
    badges = load_catalog().badges
    assert badges["genre-tourist-gold"].title == "Genre Tourist Gold"
    assert badges["reviewer-iii"].title == "Reviewer III"
    assert badges["deep-cut"].title == "Deep Cut"
