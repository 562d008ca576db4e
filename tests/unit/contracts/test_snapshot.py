"""What is counted, what moves with the calendar, and what is unknown."""

from datetime import date

import pytest

from contracts.snapshot import METRICS, MOVING, FrozenSnapshot, Snapshot, full_years, measure

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("since", "on", "years"),
    [
        (date(2020, 5, 10), date(2021, 5, 9), 0),
        (date(2020, 5, 10), date(2021, 5, 10), 1),
        (date(2020, 2, 29), date(2021, 2, 27), 0),
        (date(2020, 2, 29), date(2021, 2, 28), 1),
        (date(2020, 2, 29), date(2024, 2, 28), 3),
        (date(2020, 2, 29), date(2024, 2, 29), 4),
        (date(2020, 2, 28), date(2021, 2, 28), 1),
        (date(1896, 2, 29), date(1900, 2, 28), 4),
        (date(2027, 1, 1), date(2026, 1, 1), 0),
        (date(1, 1, 1), date(9999, 12, 31), 9998),
    ],
)
def test_full_years(since: date, on: date, years: int) -> None:
    assert full_years(since, on) == years


def test_years_and_age_are_measured_at_the_date() -> None:
    snapshot = FrozenSnapshot("u", joined_on=date(2024, 11, 21), oldest_year=1941)
    assert measure(snapshot, "years_since_join", "", TODAY) == 1
    assert measure(snapshot, "years_since_join", "", date(2026, 11, 21)) == 2
    assert measure(snapshot, "oldest_age_years", "", TODAY) == 85


@pytest.mark.parametrize("metric", sorted(MOVING))
def test_what_moves_with_the_calendar_is_unknown_without_a_start(metric: str) -> None:
    assert measure(FrozenSnapshot("u"), metric, "", TODAY) is None
    assert FrozenSnapshot("u").value(metric) is None


def test_counts_are_zero_unless_said_otherwise() -> None:
    snapshot: Snapshot = FrozenSnapshot("u", counts={"genres": 5, "styles": None})
    assert [measure(snapshot, metric, "", TODAY) for metric in ("genres", "styles", "labels")] == [5, None, 0]


def test_contexts_have_values_of_their_own() -> None:
    snapshot = FrozenSnapshot(
        "u", contextual={"pressings": {"master:1": 3}}, evidence={("pressings", "master:1"): {"master": "Aja"}}
    )
    assert list(snapshot.contexts("pressings")) == ["master:1"]
    assert (snapshot.value("pressings", "master:1"), snapshot.value("pressings", "master:2")) == (3, 0)
    assert snapshot.details("pressings", "master:1") == {"master": "Aja"}
    assert snapshot.details("pressings", "master:2") == {}
    assert list(snapshot.contexts("genres")) == []


def test_a_metric_nobody_knows_is_a_mistake() -> None:
    for ask in (FrozenSnapshot("u").value, FrozenSnapshot("u").contexts, FrozenSnapshot("u").details):
        with pytest.raises(KeyError):
            ask("loudness")


def test_each_metric_says_what_it_is() -> None:
    ceilings = {name: metric.ceiling for name, metric in METRICS.items() if metric.ceiling}
    assert ceilings == {"genres": 15, "label_coverage": 100, "artist_coverage": 100}
    contexts = {name: metric.context for name, metric in METRICS.items() if metric.context}
    assert contexts == {"pressings": "master", "label_coverage": "label", "artist_coverage": "artist"}
    assert all(name == metric.name and metric.unit and metric.description for name, metric in METRICS.items())
