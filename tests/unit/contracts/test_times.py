"""Times as text."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.times import check_lenient, parse_day_or_time, parse_time, rfc3339

LENIENT = [
    "2026-11-01", "2026-11-01T10:00:00", "2026-11-01 10:00:00", "2024-10-14T11:23:53-07:00", "2026-11-01T10:00:00Z",
    "2026-11-01 10:00", "2026-11-01T10:00:00.123456789", "2026-11-01T10:00:00+0530",
    "2026-11-01t10:00:00z", "2024-02-29",
]  # fmt: skip
NOT_EVEN_LENIENT = [
    "", "2026", "2026-11", "2026-11-1", "20261101", "2026-W45-1", "2023-02-29", "2026-00-01", "2026-11-01T",
    "2026-11-01X10:00",
    "2026-11-01T25:00", "2026-11-01 10:00:60", "2026-11-01T10:00:00+25:00", "2026-11-01\n", " 2026-11-01",
    "2026/11/01", "١٢٣٤-11-01",
]  # fmt: skip


@pytest.mark.parametrize("text", LENIENT)
def test_lenient_times_are_taken_as_they_are(text: str) -> None:
    assert check_lenient(text) == text


@pytest.mark.parametrize("text", NOT_EVEN_LENIENT)
def test_lenient_times_are_still_of_the_calendar(text: str) -> None:
    with pytest.raises(ValueError, match="expected a date or a date and time"):
        check_lenient(text)


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_survives_being_written(moment: datetime) -> None:
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        return
    assert parse_time(rfc3339(moment)) == expected


def test_a_fraction_is_written_only_when_there_is_one() -> None:
    cet = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 1, 1, 0, 30, tzinfo=cet)) == "2025-12-31T23:30:00Z"
    assert rfc3339(datetime(2026, 1, 1, 0, 30, 0, 1000, tzinfo=UTC)) == "2026-01-01T00:30:00.001000Z"
    assert rfc3339(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


def test_a_naive_time_names_no_moment() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        rfc3339(datetime(2026, 1, 1))


def test_the_utc_date_of_a_join_counts() -> None:
    assert parse_day_or_time("2026-03-01") == date(2026, 3, 1)
    assert parse_day_or_time("2026-02-28T23:30:00-05:00") == date(2026, 3, 1)
    assert parse_day_or_time("2026-03-01T00:30:00+01:00") == date(2026, 2, 28)
    with pytest.raises(ValueError, match="outside the years"):
        parse_day_or_time("9999-12-31T23:59:59-01:00")
