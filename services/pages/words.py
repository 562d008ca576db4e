"""Badges and awards in the words of the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from catalog.definition import TENURE_METRIC, BadgeDefinition, Coverage, Tenure, Threshold, coverage_metric, is_roman
from evaluators.remaining import needed_for, out_of_reach
from services.api.view import target_of
from services.pages.texts import Texts

_NAMED: Final = ("label", "artist", "master")


def metric_of(badge: BadgeDefinition) -> str | None:
    """The one number that a badge asks for; None where it is not one."""
    match badge.criterion:
        case Threshold(metric=metric):
            return metric
        case Coverage() as criterion:
            return coverage_metric(criterion)
        case Tenure():
            return TENURE_METRIC
        case _:
            return None


def tier(t: Texts, name: str | None) -> str:
    """Gold, III; of a badge without tiers that it is one of a kind."""
    if name is None:
        return t("tier.none")
    return name.upper() if is_roman(name) else t(f"tier.{name}")


def about(t: Texts, badge: BadgeDefinition) -> str:
    """What the badge is given for."""
    key, target = f"about.{metric_of(badge)}", target_of(badge.criterion)
    return badge.description if key not in t or target is None else t(key, n=target)


def need(t: Texts, badge: BadgeDefinition, entry: Mapping[str, Any]) -> str:
    """What is still to do, of an entry of the API's progress."""
    key, name = f"need.{metric_of(badge)}", entry_name(t, badge, entry)
    if out_of_reach(badge.criterion) is not None and entry["ceiling"] is not None:
        return t("grid.unreachable", n=entry["ceiling"])
    if key not in t:
        return str(entry["hint"])
    if badge.context_kind and not entry["context"]:
        return about(t, badge)
    needed = needed_for(badge.criterion, entry["current"], entry["evidence"])
    if needed is None:
        return t("need.unknown")
    return t(key, n=needed, name=name or "") if needed else t("need.reached")


def still(t: Texts, badge: BadgeDefinition, answer: Mapping[str, Any], name: str | None) -> str:
    """What is still to do, of the API's answer about what is missing; `name` is the label, artist or master."""
    key, needed = f"need.{metric_of(badge)}", answer["needed"]
    if not needed or key not in t:
        return str(answer["remaining"]) if t.language == "en" else ""
    return t(key, n=needed, name=name or answer["context_name"] or "")


def entry_name(t: Texts, badge: BadgeDefinition, entry: Mapping[str, Any]) -> str | None:
    """The label, artist or master that an entry of the progress is about; of one about a decade that."""
    evidence = entry["evidence"]
    if "decade" in evidence:
        return f"{evidence['decade']}s" if t.language == "en" else f"{evidence['decade']}er"
    return context_name(t, entry["context"], evidence.get(badge.context_kind))


def context_name(t: Texts, context: str, known: str | None) -> str | None:
    """The name of a context, or what it is called where that is not known; None for no context."""
    kind, _, number = context.partition(":")
    if known or not context:
        return known
    return t(f"context.{kind}", id=number) if kind in _NAMED else context


def proof(t: Texts, badge: BadgeDefinition, evidence: Mapping[str, Any]) -> str | None:
    """What an award rests on, in one line: "12 genres", "187 of 243 releases"; None where evidence does not say."""
    metric = metric_of(badge)
    value = evidence.get("total" if isinstance(badge.criterion, Coverage) else "value")
    if f"proof.{metric}" not in t or not isinstance(value, int):
        return None
    facts = {"owned": evidence.get("owned", "?"), "decade": str(evidence.get("decade", "?"))}
    return t(f"proof.{metric}", n=value, **facts)
