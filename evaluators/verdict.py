"""What an evaluator says: earned or not, the numbers that decide, and the reason in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from catalog.definition import BadgeDefinition


class Finding(msgspec.Struct, frozen=True):
    """What one criterion came to; `value` None is "not known", which is never earned."""

    earned: bool
    value: int | None
    target: int
    reason: str
    evidence: Mapping[str, Any]


class Verdict(msgspec.Struct, frozen=True):
    """What one badge came to, for one context ("" where the badge has none).

    Shape: `evidence` holds `metric`, `value`, `target` and the snapshot's details of that metric.
    """

    badge: BadgeDefinition
    context: str
    earned: bool
    value: int | None
    target: int
    reason: str
    evidence: Mapping[str, Any]


def measured(metric: str, value: int | None, target: int, details: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of a criterion that compares one number."""
    return {"metric": metric, "value": value, "target": target, **details}
