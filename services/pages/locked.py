"""What is missing for one badge, as the page about it says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.definition import BadgeDefinition, Coverage
from contracts.snapshot import METRICS
from evaluators.remaining import EARNED, RETIRED, REVOKED, out_of_reach
from services.pages import strip, words
from services.pages.cards import missing_path
from services.pages.texts import Texts

_STATES: Final = {REVOKED: "detail.revoked", RETIRED: "detail.retired"}


@dataclass(frozen=True, slots=True)
class Locked:
    """What is missing; `value` of `target` where both are numbers, `gaps` what the releases do not say."""

    need: str
    value: int | None
    target: int
    numbers: str
    missing: list[strip.Gap]
    all_missing: str | None
    gaps: list[str]


def locked_of(t: Texts, badge: BadgeDefinition, why: Mapping[str, Any], missing: Mapping[str, Any]) -> Locked:
    """What the API says of a badge that is not earned, as it is shown."""
    node = why["criterion"]
    value, target = node["value"], node["target"]
    out = out_of_reach(badge.criterion) is not None
    if value is None or out:
        numbers = "" if out else t("detail.unknown")
    else:
        share = "percent" if isinstance(badge.criterion, Coverage) else "progress"
        numbers = t(f"detail.{share}", value=value, target=target)
    return Locked(
        need=_need(t, badge, missing),
        value=None if out else value,
        target=target,
        numbers=numbers,
        missing=strip.gaps(t, missing["missing"]),
        all_missing=missing_path(badge.key, missing["context"]) if missing["next_cursor"] else None,
        gaps=[t(f"gap.{gap['field']}", n=gap["missing"], total=gap["releases"]) for gap in why["gaps"] or ()],
    )


def _need(t: Texts, badge: BadgeDefinition, missing: Mapping[str, Any]) -> str:
    """What is still to do, in the words of the strip."""
    said = missing["remaining"]
    if said in _STATES:
        return t(_STATES[said])
    if said == EARNED:  # and hidden: that is told to nobody
        return words.about(t, badge)
    metric = words.metric_of(badge)
    known: dict[str, Any] = {name: missing[name] for name in ("owned", "total") if missing[name] is not None}
    if badge.context_kind:
        known[badge.context_kind] = missing["context_name"]
    if metric == "largest_decade" and missing["missing"]:
        known["decade"] = missing["missing"][0]["value"].removesuffix("s")
    ceiling = None if metric is None else METRICS[metric].ceiling
    entry = {"context": missing["context"], "current": missing["owned"], "ceiling": ceiling}
    return words.need(t, badge, {**entry, "evidence": known, "hint": said})
