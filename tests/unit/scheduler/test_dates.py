"""Which days a run stands for, and whom a day concerns: held against plain computations."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from contracts.snapshot import full_years
from services.cli.prune import LONGEST_RETENTION
from services.scheduler import dates
from services.settings import Settings

DAYS = st.dates(date(1990, 1, 1), date(2110, 12, 31))


@given(DAYS, DAYS)
@example(date(2024, 2, 29), date(2025, 2, 28))
@example(date(2024, 2, 29), date(2025, 3, 1))
@example(date(2024, 2, 29), date(2028, 2, 28))
@example(date(2024, 2, 29), date(2028, 2, 29))
@example(date(2023, 2, 28), date(2024, 2, 28))
@example(date(2023, 2, 28), date(2024, 2, 29))
@example(date(2000, 2, 29), date(2100, 2, 28))
def test_a_day_concerns_those_who_complete_a_year_on_it(joined: date, on: date) -> None:
    """The scheduler tells whom the evaluator of tenure would find a year older than the day before."""
    told = joined.year < on.year and joined.month * 100 + joined.day in dates.days_of_year(on)
    assert told is (full_years(joined, on) > full_years(joined, on - timedelta(days=1)))


@given(DAYS)
def test_everybody_has_one_anniversary_a_year(joined: date) -> None:
    for year in (2023, 2024):
        days = list(dates.days(date(year, 1, 1), date(year, 12, 31)))
        assert sum(joined.month * 100 + joined.day in dates.days_of_year(on) for on in days) == 1


@given(st.none() | DAYS, DAYS)
def test_a_run_stands_for_the_days_that_were_missed(newest: date | None, on: date) -> None:
    found = list(dates.days(dates.since(newest, on), on))
    assert found[-1] == on
    if newest is None or newest >= on:
        assert found == [on]
    else:
        assert newest not in found
        assert len(found) == min((on - newest).days, dates.MOST_DAYS)


@given(DAYS)
def test_thirty_days_have_thirty_slices(first: date) -> None:
    days = dates.days(first, first + timedelta(days=dates.SLICES - 1))
    assert sorted(map(dates.slice_of, days)) == list(range(dates.SLICES))
    assert dates.MOST_DAYS <= dates.SLICES, "a run would sweep the same users twice"


def test_a_day_is_due_from_its_hour_on() -> None:
    for hour, moment, due in (
        (0, datetime(2026, 3, 1, 0, 0, tzinfo=UTC), date(2026, 3, 1)),
        (4, datetime(2026, 3, 1, 3, 59, tzinfo=UTC), date(2026, 2, 28)),
        (4, datetime(2026, 3, 1, 4, 0, tzinfo=UTC), date(2026, 3, 1)),
        (23, datetime(2026, 3, 1, 22, 59, tzinfo=UTC), date(2026, 2, 28)),
    ):
        assert dates.due_on(moment, hour) == due
        assert dates.due_at(due, hour) <= moment < dates.due_at(due + timedelta(days=1), hour)


def test_identities_outlive_the_records_of_every_topic() -> None:
    (bound,) = Settings.model_fields["prune_identities_days"].metadata
    assert bound.ge == LONGEST_RETENTION + 1
