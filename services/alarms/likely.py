"""What a history of daily counts makes likely: how much one changes, and for how long it stands. No clock, no I/O.

Numbers a day are seldom Poisson's: imports and weekends bring many at once. So nothing is assumed of them but what
they were: a busy day is one that nine in ten do not exceed, and a spread is that of their median.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

# -- changes
DAYS: Final = 28  # four whole weeks
FEWEST_CHANGES: Final = 14
SPREADS: Final = 10  # beyond a busy day; by chance alone less than once in a thousand years
TIMES: Final = 2  # less than twice a busy day is none to wake anybody for
NORMAL: Final = 1.4826  # of normally distributed numbers, spread ÷ median distance from the median

# -- silence
QUIET_DAYS: Final = 180
FEWEST_GAPS: Final = 20
GAPS: Final = 5  # of what comes by chance a tenth of the gaps is longer than g, and one in 100,000 longer than 5 g
STEADY: Final = 10  # a day, nine days in ten: then no day goes by without any


class Count(NamedTuple):
    """How many there were on a day."""

    on: date
    n: int


class Change(NamedTuple):
    """By how much a count rose within so many days, one unless days were missed."""

    on: date
    days: int
    by: int


class Usual(NamedTuple):
    """What a day brings: the middle one, a busy one, and how far they lie apart."""

    middle: float
    busy: float
    spread: float


class Surprise(NamedTuple):
    """A count changed by more than is likely."""

    change: Change
    usual: Usual
    likely: int  # at most
    days: int  # of history


class Silence(NamedTuple):
    """A count has stood still for longer than is likely."""

    since: date  # when it moved last
    days: int
    likely: int  # at most
    gaps: int  # of history


def changes(counts: Sequence[Count]) -> list[Change]:
    """From one counted day to the next."""
    return [Change(after.on, (after.on - before.on).days, after.n - before.n) for before, after in pairwise(counts)]


def usual(rates: Iterable[float]) -> Usual:
    """What days with these numbers have in common; the spread is at least that of numbers by chance (√n)."""
    known = sorted(rates)
    middle, busy = median(known), _quantile(known, 0.9)
    apart = NORMAL * median(abs(rate - middle) for rate in known)
    return Usual(middle, busy, max(apart, math.sqrt(max(busy, 1.0))))


def surprise(counts: Sequence[Count], of_all: Sequence[Count] = ()) -> Surprise | None:
    """Whether the last of these counts has changed by more than is likely; None where it has not, or is too new.

    `of_all`: counts of all of those who may be counted. A day that brings many times as many of them as a busy one may
    change every count by as many times as much.
    """
    found = changes(counts[-DAYS - 2 :])
    if len(found) <= FEWEST_CHANGES:
        return None
    *past, last = found
    sign = -1 if last.by < 0 else 1
    days = usual(max(0.0, sign * one.by / one.days) for one in past)
    # Of several days in one count the busy ones add up, and the spread as chance has it.
    busy, spread = days.busy * last.days, days.spread * math.sqrt(last.days)
    likely = math.floor(max(TIMES * busy, busy + SPREADS * spread) * _throng(of_all, last, sign))
    return Surprise(last, days, likely, len(past)) if abs(last.by) > likely else None


def silence(counts: Sequence[Count]) -> Silence | None:
    """Whether these counts have stood still for longer than is likely; None where they have not, or mostly do.

    A count that fell is none that stands: what came in may be hidden by what went.
    """
    found = [one for one in changes(counts) if (counts[-1].on - one.on).days < QUIET_DAYS]
    moves = [one.on for one in found if one.by]
    gaps = sorted((after - before).days for before, after in pairwise(moves))
    if len(gaps) < FEWEST_GAPS:
        return None
    days = (counts[-1].on - moves[-1]).days
    slow_day = _quantile(sorted(one.by / one.days for one in found if one.on <= moves[-1]), 0.1)
    longest = gaps[-2]  # but for one: an outage does not become usual
    likely = longest if slow_day >= STEADY else max(longest, math.ceil(GAPS * _quantile(gaps, 0.9)))
    return Silence(moves[-1], days, likely, len(gaps)) if days + 1 > likely else None


def _throng(of_all: Sequence[Count], last: Change, sign: int) -> float:
    """How many times as many as on a busy day came (or went) that day; at least 1."""
    found = {one.on: max(0.0, sign * one.by / one.days) for one in changes(of_all[-DAYS - 2 :])}
    today = found.pop(last.on, 0.0)
    past = [rate for on, rate in found.items() if on < last.on][-DAYS:]
    return max(1.0, today / max(1.0, usual(past).busy)) if len(past) >= FEWEST_CHANGES else 1.0


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The number that so large a share of them does not exceed; one of them."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
