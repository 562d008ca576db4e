"""What is beyond what a history makes likely, and what is only a busy day, a weekend, a young or a rare badge."""

import math
import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from services.alarms.likely import DAYS, FEWEST_CHANGES, FEWEST_GAPS, Count, silence, surprise

FIRST = date(2026, 1, 5)  # a Monday
Rate = Callable[[int, random.Random], float]


def counts(*changes: int, first: int = 0) -> list[Count]:
    """Counts that change by this, day by day."""
    found = [Count(FIRST, first)]
    for at, change in enumerate(changes, 1):
        found.append(Count(FIRST + timedelta(days=at), found[-1].n + change))
    return found


def dice(rate: float, chance: random.Random) -> int:
    """How many there are in a day by chance alone."""
    if rate > 50:
        return max(0, round(chance.gauss(rate, math.sqrt(rate))))
    number, left = 0, chance.random()
    while left > math.exp(-rate):
        number, left = number + 1, left * chance.random()
    return number


USUAL: dict[str, Rate] = {
    "by chance": lambda day, _: 1.0,
    "busy weekends": lambda day, _: 4.0 if day % 7 >= 5 else 1.0,
    "nothing on weekends": lambda day, _: 0.0 if day % 7 >= 5 else 1.0,
    "three per cent more each day": lambda day, _: 1.03 ** (day - 60),
    "three times as many now and then": lambda day, chance: math.exp(chance.gauss(0, 0.4)),
}


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize("rate", [0.05, 0.3, 1, 5, 40, 1000])
def test_what_is_usual_is_no_alarm(kind: str, rate: float) -> None:
    chance = random.Random(f"{kind} {rate}")
    series = counts(*(dice(rate * USUAL[kind](day, chance), chance) for day in range(150)))
    for upto in range(2, len(series)):
        assert surprise(series[:upto]) is None, series[:upto]
        assert silence(series[:upto]) is None, series[:upto]


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize(("rate", "many"), [(0, 11), (0.05, 15), (1, 40), (40, 1000), (1000, 15_000)])
@pytest.mark.parametrize("sign", [1, -1])
def test_many_at_once_are_an_alarm_that_ends_the_day_after(kind: str, rate: float, many: int, sign: int) -> None:
    chance = random.Random(f"{kind} {rate}")
    days = [sign * dice(rate * USUAL[kind](day, chance), chance) for day in range(60)]
    found = surprise(counts(*days, sign * many, first=10**6))
    assert found is not None
    assert found.change.by == sign * many
    assert abs(found.change.by) > found.likely >= 0
    assert found.days == DAYS
    assert surprise(counts(*days, sign * many, days[-7], first=10**6)) is None
    again = surprise(counts(*days, sign * many, days[-7], sign * many, first=10**6))
    assert again is not None, "one such day does not make it usual"


def test_the_bound_is_twice_a_busy_day_or_ten_spreads_more() -> None:
    steady = counts(*[1000] * 28, 2001)
    assert (found := surprise(steady)) is not None
    assert found.likely == 2000
    assert (found.usual.middle, found.usual.busy, found.usual.spread) == (1000, 1000, math.sqrt(1000))
    assert surprise(counts(*[1000] * 28, 2000)) is None
    assert surprise(counts(*[0] * 28, 10)) is None
    assert surprise(counts(*[0] * 28, 11)) is not None
    assert surprise(counts(*[1000] * 28, -10)) is None, "holders who leave are not what gains are compared with"
    assert surprise(counts(*[1000] * 28, -11)) is not None


def test_a_badge_without_history_has_nothing_to_be_compared_with() -> None:
    assert surprise(counts(*[0] * (FEWEST_CHANGES - 1), 5000)) is None
    assert surprise(counts(*[0] * FEWEST_CHANGES, 5000)) is not None
    assert surprise(counts(5000)) is None
    assert surprise([]) is None


def test_days_that_were_missed_may_bring_as_many_as_days() -> None:
    usual = counts(*[100] * 30)
    late = usual[-1].on + timedelta(days=5)
    assert surprise([*usual, Count(late, usual[-1].n + 800)]) is None
    assert surprise([*usual, Count(late, usual[-1].n + 3000)]) is not None


def test_a_throng_of_newcomers_may_earn_in_proportion() -> None:
    everybody = counts(*[100] * 28, 1000, first=10_000)
    assert surprise(counts(*[10] * 28, 120), everybody) is None
    assert surprise(counts(*[10] * 28, 120)) is not None
    assert surprise(counts(*[10] * 28, 900), everybody) is not None
    gone = counts(*[100] * 28, -5000, first=10_000)
    assert surprise(counts(*[10] * 28, 120), gone) is not None, "others left: no reason to earn"
    assert surprise(counts(*[10] * 28, -120, first=1000), gone) is None


def weeks(number: int, week: Iterable[int]) -> list[int]:
    return [*week] * number


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        ([30] * 40, 1),  # steady: no day goes by without any
        (weeks(8, (5, 5, 5, 5, 5, 0, 0)), 15),  # five times the weekend
        ([1, 0, 0] * 30, 15),
        ([3] * 40, 5),  # not so many that a day without any is out of question
    ],
    ids=["steady", "weekdays", "now and then", "a few a day"],
)
def test_it_is_silent_when_the_gap_is_longer_than_likely(before: list[int], allowed: int) -> None:
    quiet = 0 if before[-1] else len(before) - max(at for at, n in enumerate(before, 1) if n)
    for more in range(60):
        found = silence(counts(*before, *[0] * more))
        days = quiet + more
        if days + 1 <= allowed:
            assert found is None, days
        else:
            assert found is not None
            assert (found.days, found.likely) == (days, allowed)
    assert silence(counts(*before, *[0] * 40, 1)) is None, "it has ended"


def test_one_outage_does_not_make_silence_usual_but_two_do() -> None:
    outage = [*[30] * 40, *[0] * 9]
    assert (found := silence(counts(*outage, *[30] * 40, 0, 0, 0, 0, 0))) is not None
    assert found.likely == 5, "there were days without any, though"
    assert silence(counts(*outage, *outage, *[30] * 40, 0, 0, 0, 0, 0)) is None


def test_a_count_that_falls_does_not_stand_still() -> None:
    assert silence(counts(*[30] * 40, -5)) is None
    assert silence(counts(*[30] * 40, -5, 0)) is not None


def test_what_was_seldom_heard_is_never_missed() -> None:
    rare = [1, 0, 0, 0, 0] * FEWEST_GAPS
    assert silence(counts(*rare, *[0] * 100)) is None
    assert silence(counts(*rare, 1, *[0] * 60)) is not None
    assert silence([]) is None
