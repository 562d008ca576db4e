"""Rarity in numbers and in words."""

from __future__ import annotations

import pytest

from services.api.models.achievements import Rarity
from services.api.rarity import ordinal, rarity, share
from services.stores.achievements import Counted

ACTIVE = "% of the active ones"


@pytest.mark.parametrize(
    ("holders", "collectors", "expected"),
    [(None, 10, None), (3, None, None), (0, 0, None), (0, 10, 0.0), (1, 3, 0.333333), (10, 10, 1.0), (11, 10, 1.0)],
)
def test_shares_are_of_those_who_are_known(holders: int | None, collectors: int | None, expected: float | None) -> None:
    assert share(holders, collectors) == expected


@pytest.mark.parametrize(
    ("holders", "collectors", "rank", "text"),
    [
        (None, None, None, None),
        (None, Counted(100, 50), 3, None),
        (Counted(0, None), Counted(100, 50), None, "held by nobody yet"),
        (Counted(1, 1), Counted(100, 50), 1, "held by 1 collector, 1st to earn it"),
        (Counted(7, None), None, None, "held by 7 collectors"),
        (Counted(19, 19), Counted(100, 50), None, "held by 19 collectors"),
        (Counted(20, 19), Counted(100, 50), None, "held by 20 collectors, 20 % of all"),
        (Counted(20, 20), Counted(100, 50), 17, f"held by 20 collectors, 20 % of all, 40 {ACTIVE}, 17th to earn it"),
        # Nobody has counted who is active; nobody is; nobody has counted the collectors.
        (Counted(20, None), Counted(100, None), None, "held by 20 collectors, 20 % of all"),
        (Counted(20, 20), Counted(100, 0), None, "held by 20 collectors, 20 % of all"),
        (Counted(20, 20), None, None, "held by 20 collectors"),
        # Rounded down, so that all of them are 100 % and nothing else is.
        (Counted(1_999, 0), Counted(2_000, 0), None, "held by 1,999 collectors, 99.9 % of all"),
        (Counted(41, 30), Counted(100_000, 1_000), None, f"held by 41 collectors, less than 0.1 % of all, 3 {ACTIVE}"),
        # Counts of two moments.
        (Counted(21, 30), Counted(20, 20), None, f"held by 21 collectors, 100 % of all, 100 {ACTIVE}"),
    ],
)  # fmt: skip
def test_words_make_no_percentage_of_a_few(
    holders: Counted | None, collectors: Counted | None, rank: int | None, text: str | None
) -> None:
    found = rarity(holders, collectors, rank)
    Rarity.model_validate(found)
    assert found["text"] == text
    assert found["rank"] == rank


def test_ordinals() -> None:
    numbers = (1, 2, 3, 4, 10, 11, 12, 13, 14, 21, 22, 23, 100, 101, 111, 112, 113)
    assert " ".join(map(ordinal, numbers)) == (
        "1st 2nd 3rd 4th 10th 11th 12th 13th 14th 21st 22nd 23rd 100th 101st 111th 112th 113th"
    )
