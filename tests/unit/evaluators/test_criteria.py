"""Each criterion kind: what it compares, what it says, and that what is unknown is never earned."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from catalog.definition import All, Any_, Coverage, Criterion, Manual, Not, Tenure, Threshold
from contracts.snapshot import METRICS, FrozenSnapshot, Occasion
from evaluators.engine import judge
from evaluators.verdict import Finding


def finding(criterion: Criterion, snapshot: FrozenSnapshot, context: str = "", on: date = date(2024, 6, 15)) -> Finding:
    return judge(criterion, snapshot, Occasion("ownership.added", datetime(2024, 6, 15, tzinfo=UTC), on), context)


def owner(**counts: int | None) -> FrozenSnapshot:
    return FrozenSnapshot("ada", counts=counts)


# Threshold


@pytest.mark.parametrize(
    ("metric", "target", "value", "earned", "reason"),
    [
        ("styles", 20, 12, False, "12 of 20 styles"),
        ("styles", 20, 20, True, "20 of 20 styles"),
        ("styles", 20, 21, True, "21 styles, 20 needed"),
        ("releases", 1, 0, False, "0 of 1 release"),
        ("genres", 20, 15, False, "15 of 20 genres; out of reach, there are only 15"),
        ("genres", 15, 14, False, "14 of 15 genres"),
        ("countries", 1, 0, False, "0 of 1 country"),
        ("deep_cuts", 1, 3, True, "3 deep cuts, 1 needed"),
        ("deep_cuts", 1, None, False, "number of deep cuts not known"),
        ("mono_releases", 10, 9, False, "9 of 10 mono releases"),
        ("wishlist", 10, 4, False, "4 of 10 releases on the wishlist"),
        ("compares", 1, 1, True, "1 of 1 comparison"),
    ],
)
def test_threshold(metric: str, target: int, value: int | None, earned: bool, reason: str) -> None:
    found = finding(Threshold(metric=metric, at_least=target), owner(**{metric: value}))
    assert (found.earned, found.value, found.target, found.reason) == (earned, value, target, reason)
    assert found.evidence == {"metric": metric, "value": value, "target": target}


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_can_be_asked(metric: str) -> None:
    found = finding(
        Threshold(metric=metric, at_least=3), FrozenSnapshot("ada", oldest_year=2022, joined_on=date(2022, 1, 1))
    )
    assert not found.earned
    assert found.reason
    assert "_" not in found.reason


def test_threshold_of_a_context_reads_that_context_and_its_details() -> None:
    snapshot = FrozenSnapshot(
        "ada",
        contextual={"pressings": {"master:7": 3, "master:8": 2}},
        evidence={("pressings", "master:7"): {"master": "Blue Train", "master_id": 7}},
    )
    rule = Threshold(metric="pressings", at_least=3)
    found = finding(rule, snapshot, "master:7")
    assert found.earned
    assert found.reason == "3 of 3 pressings of one master (Blue Train)"
    assert found.evidence == {"metric": "pressings", "value": 3, "target": 3, "master": "Blue Train", "master_id": 7}
    assert finding(rule, snapshot, "master:8").reason == "2 of 3 pressings of one master"
    assert finding(rule, snapshot, "master:9").value == 0


def test_a_metric_without_context_is_read_without_one() -> None:
    assert finding(Threshold(metric="genres", at_least=2), owner(genres=2), "master:7").earned


def test_threshold_names_the_decade() -> None:
    snapshot = FrozenSnapshot("ada", counts={"largest_decade": 24}, evidence={("largest_decade", ""): {"decade": 1970}})
    found = finding(Threshold(metric="largest_decade", at_least=25), snapshot)
    assert found.reason == "24 of 25 releases of one decade (the 1970s)"
    assert found.evidence["decade"] == 1970


@pytest.mark.parametrize(
    ("oldest_year", "on", "earned", "reason"),
    [
        (1975, date(2024, 12, 31), False, "oldest pressing from 1975: 49 of 50 years"),
        (1975, date(2025, 1, 1), True, "oldest pressing from 1975: 50 of 50 years"),
        (1960, date(2025, 1, 1), True, "oldest pressing from 1960: 65 years, 50 needed"),
        (None, date(2025, 1, 1), False, "oldest pressing year not known"),
    ],
)
def test_age_is_measured_at_the_occasion(oldest_year: int | None, on: date, earned: bool, reason: str) -> None:
    snapshot = FrozenSnapshot("ada", oldest_year=oldest_year)
    found = finding(Threshold(metric="oldest_age_years", at_least=50), snapshot, on=on)
    assert (found.earned, found.reason) == (earned, reason)


# Tenure


@pytest.mark.parametrize(
    ("joined_on", "on", "value", "reason"),
    [
        (date(2015, 3, 1), date(2025, 2, 28), 9, "joined on 2015-03-01: 9 of 10 years"),
        (date(2015, 3, 1), date(2025, 3, 1), 10, "joined on 2015-03-01: 10 of 10 years"),
        (date(2015, 3, 1), date(2026, 3, 1), 11, "joined on 2015-03-01: 11 years, 10 needed"),
        (date(2016, 2, 29), date(2026, 2, 27), 9, "joined on 2016-02-29: 9 of 10 years"),
        (date(2016, 2, 29), date(2026, 2, 28), 10, "joined on 2016-02-29: 10 of 10 years"),
        (None, date(2026, 2, 28), None, "join date not known"),
    ],
)
def test_tenure(joined_on: date | None, on: date, value: int | None, reason: str) -> None:
    found = finding(Tenure(years=10), FrozenSnapshot("ada", joined_on=joined_on), on=on)
    assert (found.value, found.reason) == (value, reason)
    assert found.earned is (value is not None and value >= 10)
    assert found.evidence == {"metric": "years_since_join", "value": value, "target": 10}


# Coverage


@pytest.mark.parametrize(
    ("details", "earned", "value", "reason"),
    [
        ({"owned": 9, "total": 40}, False, 22, "9 of 40 releases: 22 % of 25 %"),
        ({"owned": 10, "total": 40}, True, 25, "10 of 40 releases: 25 % of 25 %"),
        ({"owned": 11, "total": 40}, True, 27, "11 of 40 releases: 27 % (25 % needed)"),
        ({"owned": 249, "total": 1000}, False, 24, "249 of 1000 releases: 24 % of 25 %"),
        ({"owned": 4, "total": 4}, False, None, "a catalogue of 4 releases is too small, 5 needed"),
        ({"owned": 5, "total": 5}, True, 100, "5 of 5 releases: 100 % (25 % needed)"),
        ({"owned": 5, "total": None}, False, None, "catalogue size not known"),
        ({}, False, None, "catalogue size not known"),
    ],
)
def test_coverage(details: dict[str, Any], earned: bool, value: int | None, reason: str) -> None:
    snapshot = FrozenSnapshot("ada", evidence={("label_coverage", "label:5"): details})
    found = finding(Coverage(of="label", percent=25), snapshot, "label:5")
    assert (found.earned, found.value, found.reason) == (earned, value, reason)
    exactly = {} if value is None else {"percentage": details["owned"] * 1000 // details["total"] / 10}
    assert found.evidence == {"metric": "label_coverage", "value": value, "target": 25, **details, **exactly}


def test_who_owns_more_than_the_catalogue_lists_owns_all_of_it() -> None:
    snapshot = FrozenSnapshot("ada", evidence={("label_coverage", "label:5"): {"owned": 7, "total": 6, "label": "X"}})
    found = finding(Coverage(of="label", percent=90), snapshot, "label:5")
    assert (found.value, found.evidence["percentage"]) == (100, 100.0)
    assert found.reason == "7 of 6 releases of X: 100 % (90 % needed)"


def test_coverage_of_an_artist_counts_masters() -> None:
    snapshot = FrozenSnapshot("ada", evidence={("artist_coverage", "artist:9"): {"owned": 3, "total": 6}})
    assert finding(Coverage(of="artist", percent=75), snapshot, "artist:9").reason == "3 of 6 masters: 50 % of 75 %"


# Compounds

YES = Threshold(metric="genres", at_least=1)
NO = Threshold(metric="genres", at_least=9)
UNKNOWN = Threshold(metric="deep_cuts", at_least=1)


@pytest.mark.parametrize(
    ("criterion", "earned", "value", "target"),
    [
        (All(criteria=(YES, YES)), True, 2, 2),
        (All(criteria=(YES, NO)), False, 1, 2),
        (All(criteria=(YES, UNKNOWN)), False, None, 2),
        (All(criteria=(NO, UNKNOWN)), False, 0, 2),
        (Any_(criteria=(NO, YES)), True, 1, 1),
        (Any_(criteria=(NO, NO)), False, 0, 1),
        (Any_(criteria=(UNKNOWN, YES)), True, 1, 1),
        (Any_(criteria=(UNKNOWN, NO)), False, None, 1),
        (Not(criterion=NO), True, 1, 1),
        (Not(criterion=YES), False, 0, 1),
        (Not(criterion=UNKNOWN), False, None, 1),
        (Not(criterion=Manual()), False, None, 1),
        (All(criteria=(Any_(criteria=(NO, YES)), Not(criterion=NO))), True, 2, 2),
        (Manual(), False, None, 1),
    ],
    ids=str,
)
def test_compound(criterion: Criterion, earned: bool, value: int | None, target: int) -> None:
    found = finding(criterion, owner(genres=3, deep_cuts=None))
    assert (found.earned, found.value, found.target) == (earned, value, target)
    assert found.evidence["value"] == value


def test_compounds_say_what_is_missing_and_keep_the_parts_as_evidence() -> None:
    both = All(criteria=(Threshold(metric="genres", at_least=2), Threshold(metric="styles", at_least=5)))
    missing = finding(both, owner(genres=3, styles=4))
    assert missing.reason == "4 of 5 styles"
    assert [part["metric"] for part in missing.evidence["parts"]] == ["genres", "styles"]
    assert finding(both, owner(genres=3, styles=5)).reason == "3 genres, 2 needed and 5 of 5 styles"
    either = Any_(criteria=both.criteria)
    assert finding(either, owner(genres=0, styles=4)).reason == "0 of 2 genres or 4 of 5 styles"
    assert finding(Manual(), owner()).reason == "given by hand only"
    assert finding(Not(criterion=YES), owner(genres=1)).reason == "not wanted: 1 of 1 genre"
