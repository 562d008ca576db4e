"""Many awards at once, told briefly: of each family the highest tier, three of them, and how many more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

SHOWN: Final = 3


class Ranked(NamedTuple, Generic[T]):
    """Something that was earned: its family, how high in it, and how impressive among others."""

    family: str
    tier_index: int
    rank: int
    item: T


class Digest(NamedTuple, Generic[T]):
    """What to show, the most impressive first; `more` families beside those; `earned` of all awards."""

    shown: list[T]
    more: int
    earned: int


def digest(awards: Iterable[Ranked[T]]) -> Digest[T]:
    """The awards in short; of equals the first of a family stands for it."""
    best: dict[str, Ranked[T]] = {}
    earned = 0
    for one in awards:
        earned += 1
        held = best.get(one.family)
        if held is None or one.tier_index > held.tier_index:
            best[one.family] = one
    ranked = sorted(best.values(), key=lambda one: (-one.rank, one.family))
    return Digest([one.item for one in ranked[:SHOWN]], max(0, len(ranked) - SHOWN), earned)
