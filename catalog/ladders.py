"""Ladders: a few lines in, the tiers of a family out.

The sort score of a badge is the weight of its tier plus the weight of its category: a harder tier always stands before
an easier one, and among equal tiers the category that asks for more comes first. Icons are `<category>-<tier>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict, Unpack

from catalog.definition import BadgeDefinition, Category, Coverage, Criterion, Tenure, Threshold
from contracts.snapshot import ContextKind

METALS = ("bronze", "silver", "gold", "platinum")
ROMANS = ("i", "ii", "iii", "iv", "v")

TIER_WEIGHT: dict[str | None, int] = {
    "i": 100,
    "bronze": 200,
    "ii": 200,
    None: 300,
    "silver": 300,
    "iii": 300,
    "gold": 400,
    "iv": 400,
    "platinum": 500,
    "v": 500,
}
CATEGORY_WEIGHT: dict[Category, int] = {
    "community": 0,
    "breadth": 10,
    "temporal": 20,
    "special": 30,
    "completionist": 40,
    "graph": 50,
}


class Words(TypedDict):
    """What every ladder is told beside its numbers.

    Shape: `description` says the target as `{n}`, `first` replaces it where the target is 1; `tiers` default to the
        metals. `shadow`: all of them are on trial.
    """

    category: Category
    description: str
    first: NotRequired[str]
    triggers: Sequence[str]
    tiers: NotRequired[Sequence[str]]
    shadow: NotRequired[bool]


def threshold_ladder(
    family: str,
    name: str,
    *,
    metric: str,
    targets: Sequence[int],
    context_kind: ContextKind = "",
    **words: Unpack[Words],
) -> tuple[BadgeDefinition, ...]:
    """One badge per target, easiest first."""
    rules = [(target, Threshold(metric=metric, at_least=target)) for target in targets]
    return _ladder(family, name, rules, context_kind, words)


def coverage_ladder(
    family: str,
    name: str,
    *,
    of: Literal["label", "artist"],
    percents: Sequence[int],
    min_total: int = 5,
    **words: Unpack[Words],
) -> tuple[BadgeDefinition, ...]:
    """One badge per share of a label's or an artist's catalogue, earned once for each label or artist."""
    rules = [(percent, Coverage(of=of, percent=percent, min_total=min_total)) for percent in percents]
    return _ladder(family, name, rules, of, words)


def tenure_ladder(
    family: str, name: str, *, years: Sequence[int], **words: Unpack[Words]
) -> tuple[BadgeDefinition, ...]:
    """One badge per number of full years since the user joined."""
    return _ladder(family, name, [(target, Tenure(years=target)) for target in years], "", words)


def single_badge(
    family: str,
    name: str,
    *,
    criterion: Criterion,
    category: Category,
    description: str,
    triggers: Sequence[str],
    context_kind: ContextKind = "",
    shadow: bool = False,
) -> tuple[BadgeDefinition, ...]:
    """A family without tiers: its key is the family."""
    return (
        BadgeDefinition(
            key=family,
            family=family,
            tier=None,
            tier_index=0,
            name=name,
            description=description,
            category=category,
            icon=category,
            criterion=criterion,
            triggers=tuple(triggers),
            context_kind=context_kind,
            sort_score=sort_score(None, category),
            shadow=shadow,
        ),
    )


def sort_score(tier: str | None, category: Category) -> int:
    """Where a badge stands in a collector's list: higher is harder and comes first."""
    return TIER_WEIGHT[tier] + CATEGORY_WEIGHT[category]


def _ladder(
    family: str, name: str, rules: Sequence[tuple[int, Criterion]], context_kind: ContextKind, words: Words
) -> tuple[BadgeDefinition, ...]:
    tiers = words.get("tiers", METALS)
    if len(rules) > len(tiers):
        raise ValueError(f"{family}: {len(rules)} targets, but only {len(tiers)} tiers")
    many = words["description"]
    one = words.get("first", many)
    return tuple(
        BadgeDefinition(
            key=f"{family}-{tier}",
            family=family,
            tier=tier,
            tier_index=index,
            name=name,
            description=(one if target == 1 else many).format(n=f"{target:,}"),
            category=words["category"],
            icon=f"{words['category']}-{tier}",
            criterion=criterion,
            triggers=tuple(words["triggers"]),
            context_kind=context_kind,
            sort_score=sort_score(tier, words["category"]),
            shadow=words.get("shadow", False),
        )
        for index, ((target, criterion), tier) in enumerate(zip(rules, tiers, strict=False))
    )
