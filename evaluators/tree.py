"""A criterion as a tree: what each part of it asks, what it comes to, and what is still to do for it.

Shape:   a node per criterion, in the rule's own order; `truth` None is "not known", as it is for what only a person
         gives. `remaining` is there where a part that is wanted is not met.
Raises:  nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.definition import All, Any_, BadgeDefinition, Criterion, Not, in_words
from contracts.snapshot import Occasion, Snapshot
from evaluators.engine import judge
from evaluators.remaining import hint
from evaluators.verdict import Finding


@dataclass(frozen=True, slots=True)
class Node:
    """One criterion with its numbers: of `all`, `any` and `not` how many parts hold, and how many must."""

    kind: str
    words: str
    metric: str | None
    value: int | None
    target: int
    truth: bool | None
    reason: str
    remaining: str | None
    children: tuple[Node, ...] = ()

    def leaves(self) -> Iterator[Node]:
        """The nodes without children, in the rule's order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def tree(badge: BadgeDefinition, snapshot: Snapshot, occasion: Occasion, context: str = "") -> Node:
    """The badge's criterion, judged part by part as the award is judged."""
    return _node(badge, badge.criterion, snapshot, occasion, context, wanted=True)


def _node(
    badge: BadgeDefinition,
    criterion: Criterion,
    snapshot: Snapshot,
    occasion: Occasion,
    context: str,
    *,
    wanted: bool,
) -> Node:
    finding = judge(criterion, snapshot, occasion, context)
    inner = wanted is not isinstance(criterion, Not)
    children = tuple(_node(badge, part, snapshot, occasion, context, wanted=inner) for part in _parts(criterion))
    return Node(
        kind=criterion.kind,
        words=in_words(criterion),
        metric=None if children else finding.evidence.get("metric"),
        value=finding.value,
        target=finding.target,
        truth=True if finding.earned else None if finding.value is None else False,
        reason=finding.reason,
        remaining=_remaining(badge, criterion, finding, children, context) if wanted and not finding.earned else None,
        children=children,
    )


def _parts(criterion: Criterion) -> tuple[Criterion, ...]:
    match criterion:
        case All() | Any_():
            return criterion.criteria
        case Not():
            return (criterion.criterion,)
        case _:
            return ()


def _remaining(
    badge: BadgeDefinition, criterion: Criterion, finding: Finding, children: tuple[Node, ...], context: str
) -> str:
    if isinstance(criterion, Not):
        return f"Only without {in_words(criterion.criterion)}"
    if children:
        return (" and " if isinstance(criterion, All) else " or ").join(
            child.remaining for child in children if child.remaining
        )
    return hint(badge.model_copy(update={"criterion": criterion}), context, finding.value, finding.evidence)
