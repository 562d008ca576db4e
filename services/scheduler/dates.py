"""Which days a run stands for, and which users a day concerns. No clock, no I/O."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

# Days that a run stands for at most. After thirty nights everybody was swept, and a sweep measures tenure as well.
MOST_DAYS: Final = 30
SLICES: Final = 30


def due_on(now: datetime, hour: int) -> date:
    """The newest day whose jobs are due: they are from `hour` (UTC) of the day on."""
    return (now.astimezone(UTC) - timedelta(hours=hour)).date()


def due_at(on: date, hour: int) -> datetime:
    """When a day's jobs become due."""
    return midnight(on) + timedelta(hours=hour)


def since(newest: date | None, on: date) -> date:
    """The first of the days that a new run for `on` stands for: those that were missed since the newest run, too."""
    if newest is None or newest >= on:
        return on
    return max(newest + timedelta(days=1), on - timedelta(days=MOST_DAYS - 1))


def days(first: date, final: date) -> Iterator[date]:
    """From the first to the final day."""
    for number in range(first.toordinal(), final.toordinal() + 1):
        yield date.fromordinal(number)


def midnight(on: date) -> datetime:
    """When the day begins, in UTC: the time of the events that it brings."""
    return datetime.combine(on, time(), UTC)


def days_of_year(on: date) -> tuple[int, ...]:
    """The days (1121: 21 November) on which those joined whose anniversary it is."""
    found = on.month * 100 + on.day
    return (228, 229) if found == 228 and not isleap(on.year) else (found,)


def slice_of(on: date) -> int:
    """The slice of users that is swept on that day."""
    return on.toordinal() % SLICES
