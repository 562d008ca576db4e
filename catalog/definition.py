"""What a badge is: its words, its rule and what makes the rule be asked.

A criterion is a small typed model, and `All`, `Any_`, `Not` join criteria. A new kind is worth its file only where the
logic differs; where badges differ in data, give a present kind other numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.snapshot import ContextKind

Category = Literal["completionist", "breadth", "temporal", "graph", "special", "community"]

CATEGORIES: tuple[Category, ...] = ("completionist", "breadth", "temporal", "graph", "special", "community")
TENURE_METRIC = "years_since_join"
SWEEP = "cron.sweep"
"""The trigger of every badge, beside the ones it names."""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Threshold(_Rule):
    """A metric has reached a number."""

    kind: Literal["threshold"] = "threshold"
    metric: str
    at_least: int = Field(ge=1)


class Coverage(_Rule):
    """The user owns at least this share of a label's or an artist's catalogue.

    Units: `percent` is 0–100; `min_total` is the smallest catalogue that counts, in releases (labels) or masters
        (artists).
    """

    kind: Literal["coverage"] = "coverage"
    of: Literal["label", "artist"]
    percent: int = Field(ge=1, le=100)
    min_total: int = Field(default=5, ge=1)


class Tenure(_Rule):
    """The user joined at least this many full years ago, at the date of the occasion."""

    kind: Literal["tenure"] = "tenure"
    years: int = Field(ge=1)


class Manual(_Rule):
    """Only a person gives this badge."""

    kind: Literal["manual"] = "manual"


class All(_Rule):
    """Every one of the criteria holds."""

    kind: Literal["all"] = "all"
    criteria: tuple[Criterion, ...] = Field(min_length=1)


class Any_(_Rule):  # noqa: N801 - `Any` is taken by typing
    """At least one of the criteria holds."""

    kind: Literal["any"] = "any"
    criteria: tuple[Criterion, ...] = Field(min_length=1)


class Not(_Rule):
    """The criterion is known not to hold."""

    kind: Literal["not"] = "not"
    criterion: Criterion


Criterion = Annotated[Threshold | Coverage | Tenure | Manual | All | Any_ | Not, Field(discriminator="kind")]

CRITERIA: tuple[type[_Rule], ...] = (Threshold, Coverage, Tenure, Manual, All, Any_, Not)
"""Every criterion kind; each has one evaluator."""


class BadgeDefinition(_Rule):
    """One award-able thing: a tier of a family, or a family without tiers.

    Shape: `key` is `<family>-<tier>`, or the family where `tier` is None; `tier_index` counts from 0.
        `context_kind` is what the badge is earned for ("" = once per user). `retired` badges stay, but are earned no
        more. `hidden_until_earned` keeps it out of progress; `secret` hides that it exists. A `shadow` is on trial: it
        is evaluated and its awards are kept, but no collector is shown or told of them until it is promoted.
    """

    key: str
    family: str
    tier: str | None
    tier_index: int = Field(ge=0)
    name: str
    description: str
    category: Category
    icon: str
    criterion: Criterion
    triggers: tuple[str, ...]
    context_kind: ContextKind = ""
    hidden_until_earned: bool = False
    secret: bool = False
    sort_score: int
    retired: bool = False
    shadow: bool = False

    def __hash__(self) -> int:
        """Of the key alone: no other badge of a catalog has it, and what is known of a badge is looked up often."""
        return hash(self.key)

    @property
    def title(self) -> str:
        """The name with its tier: "Genre Tourist Gold", "Reviewer III", "Deep Cut"."""
        if self.tier is None:
            return self.name
        return f"{self.name} {self.tier.upper() if is_roman(self.tier) else self.tier.capitalize()}"


def is_roman(tier: str) -> bool:
    """Whether a tier is written as a Roman numeral (i … v)."""
    return set(tier) <= set("iv")


def metrics_of(criterion: Criterion) -> frozenset[str]:
    """The metrics that a criterion reads."""
    match criterion:
        case Threshold():
            return frozenset((criterion.metric,))
        case Coverage():
            return frozenset((coverage_metric(criterion),))
        case Tenure():
            return frozenset((TENURE_METRIC,))
        case All() | Any_():
            return frozenset().union(*(metrics_of(part) for part in criterion.criteria))
        case Not():
            return metrics_of(criterion.criterion)
        case Manual():
            return frozenset()


def leaves(criterion: Criterion) -> Iterator[Criterion]:
    """The criteria without parts that a criterion is made of."""
    match criterion:
        case All() | Any_():
            for part in criterion.criteria:
                yield from leaves(part)
        case Not():
            yield from leaves(criterion.criterion)
        case _:
            yield criterion


def coverage_metric(criterion: Coverage) -> str:
    """The metric that holds what `Coverage` compares."""
    return f"{criterion.of}_coverage"


def in_words(criterion: Criterion) -> str:
    """The rule as a person would write it down: "genres >= 10"."""
    match criterion:
        case Threshold():
            return f"{criterion.metric} >= {criterion.at_least}"
        case Coverage():
            return f"{coverage_metric(criterion)} >= {criterion.percent} % (of at least {criterion.min_total})"
        case Tenure():
            return f"{TENURE_METRIC} >= {criterion.years}"
        case All() | Any_():
            joint = " and " if isinstance(criterion, All) else " or "
            return f"({joint.join(in_words(part) for part in criterion.criteria)})"
        case Not():
            return f"not {in_words(criterion.criterion)}"
        case Manual():
            return "given by hand"


All.model_rebuild()
Any_.model_rebuild()
Not.model_rebuild()
BadgeDefinition.model_rebuild()
