"""The brake: a few dead letters are normal, a flood is not, and it is noticed at the record that is too much."""

import random

import pytest

from services.worker.brake import WINDOW, Brake, Flood


def fed(brake: Brake, fates: list[bool], size: int) -> int:
    """How many records were applied, in bundles of this size, until the brake was on; `fates`: dead or not."""
    applied = 0
    while applied < len(fates) and brake.why is None:
        bundle = fates[applied : applied + size]
        dead = [at for at, one in enumerate(bundle) if one]
        try:
            brake.check(dead, len(bundle))
        except Flood as flood:
            bundle = bundle[: flood.taken]
            dead = [at for at in dead if at < flood.taken]
        brake.note(dead, len(bundle))
        applied += len(bundle)
    return applied


def plain(fates: list[bool], in_a_row: int, percent: float) -> int | None:
    """The record at which the rule says stop, counted out."""
    for at, dead in enumerate(fates):
        window = fates[max(0, at + 1 - WINDOW) : at + 1]
        row = next((length for length, one in enumerate(reversed(fates[: at + 1])) if not one), at + 1)
        if dead and (row >= in_a_row or (len(window) == WINDOW and sum(window) > percent * WINDOW / 100)):
            return at
    return None


@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("share", [0.0, 0.03, 0.05, 0.06, 0.5, 0.95, 1.0])
def test_it_trips_where_the_rule_says(size: int, share: float) -> None:
    dice = random.Random(share)
    fates = [dice.random() < share for _ in range(3_000)]
    brake = Brake(50, 5.0)
    due = plain(fates, 50, 5.0)
    assert fed(brake, fates, size) == (len(fates) if due is None else due + 1)
    assert (brake.why is None) == (due is None)


def test_it_says_why() -> None:
    brake = Brake(3, 100)
    brake.note([1, 2], 3)
    assert brake.why is None
    brake.note([0], 5)
    assert brake.why == "3 dead letters in a row"


def test_more_than_the_share_and_not_just_the_share() -> None:
    brake = Brake(1_000, 5.0)
    brake.note(list(range(0, 1_000, 20)), 1_000)
    assert brake.why is None  # 50 of 1,000
    brake.note([0], 1)  # the first of them has left the window
    assert brake.why is None
    brake.note([0], 1)
    assert brake.why == "51 dead letters among the last 1000 records"


def test_nothing_is_held_against_what_comes_after_it_was_lifted() -> None:
    brake = Brake(3, 100)
    brake.note([0, 1, 2], 3)
    brake.release()
    brake.note([0, 1], 2)
    assert brake.why is None


def test_it_can_be_switched_off() -> None:
    brake = Brake(10**9, 100)
    assert fed(brake, [True] * 5_000, 500) == 5_000
    assert brake.why is None
