"""From badge, snapshot and occasion to a verdict: the one function behind awards, progress and explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from catalog.definition import (
    All,
    Any_,
    BadgeDefinition,
    Coverage,
    Criterion,
    Manual,
    Not,
    Tenure,
    Threshold,
    metrics_of,
)
from contracts.snapshot import Occasion, Snapshot
from evaluators.compound import evaluate_all_of, evaluate_any_of, evaluate_manual, evaluate_not
from evaluators.coverage import evaluate_coverage
from evaluators.tenure import evaluate_tenure
from evaluators.threshold import evaluate_threshold
from evaluators.verdict import Finding, Verdict


def judge(criterion: Criterion, snapshot: Snapshot, occasion: Occasion, context: str) -> Finding:
    """What one criterion comes to."""
    return EVALUATORS[type(criterion)](criterion, snapshot, occasion, context)


EVALUATORS: dict[type, Callable[[Any, Snapshot, Occasion, str], Finding]] = {
    Threshold: evaluate_threshold,
    Coverage: evaluate_coverage,
    Tenure: evaluate_tenure,
    Manual: evaluate_manual,
    All: lambda criterion, *facts: evaluate_all_of([judge(part, *facts) for part in criterion.criteria]),
    Any_: lambda criterion, *facts: evaluate_any_of([judge(part, *facts) for part in criterion.criteria]),
    Not: lambda criterion, *facts: evaluate_not(judge(criterion.criterion, *facts)),
}


def evaluate(badge: BadgeDefinition, snapshot: Snapshot, occasion: Occasion, context: str = "") -> Verdict:
    """Whether the user has earned the badge for this context, whoever may have it already."""
    finding = judge(badge.criterion, snapshot, occasion, context)
    return Verdict(
        badge=badge,
        context=context,
        earned=finding.earned,
        value=finding.value,
        target=finding.target,
        reason=finding.reason,
        evidence=finding.evidence,
    )


def evaluate_all(badges: Iterable[BadgeDefinition], snapshot: Snapshot, occasion: Occasion) -> list[Verdict]:
    """One verdict per badge, in the badges' order; of a badge with contexts one per context the snapshot knows."""
    known: dict[tuple[str, frozenset[str]], list[str]] = {}
    verdicts: list[Verdict] = []
    for badge in badges:
        source = (badge.context_kind, metrics_of(badge.criterion) if badge.context_kind else frozenset())
        if source not in known:
            known[source] = contexts_of(badge, snapshot)
        verdicts += [evaluate(badge, snapshot, occasion, context) for context in known[source]]
    return verdicts


def contexts_of(badge: BadgeDefinition, snapshot: Snapshot) -> list[str]:
    """The contexts for which the snapshot can judge the badge, sorted; [""] for a badge without contexts."""
    if not badge.context_kind:
        return [""]
    prefix = f"{badge.context_kind}:"
    found = (context for metric in metrics_of(badge.criterion) for context in snapshot.contexts(metric))
    return sorted({context for context in found if context.startswith(prefix)})
