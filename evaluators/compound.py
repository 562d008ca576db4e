"""Criteria over criteria, and the one that no fact satisfies.

Shape:   the value counts the parts that hold, the target how many must; evidence lists each part's own under `parts`.
Raises:  nothing. What is not known stays not known: `Not` over it is not earned either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluators.verdict import Finding


def evaluate_all_of(parts: Sequence[Finding]) -> Finding:
    """Earned where every part is; not known where the parts that are known leave it open."""
    missing = [part for part in parts if not part.earned]
    reason = " and ".join(part.reason for part in missing or parts)
    open_still = bool(missing) and all(part.value is None for part in missing)
    return _joined("all", None if open_still else len(parts) - len(missing), len(parts), reason, parts)


def evaluate_any_of(parts: Sequence[Finding]) -> Finding:
    """Earned where one part is; not known where none is and one is not known."""
    held = [part for part in parts if part.earned]
    reason = " or ".join(part.reason for part in held or parts)
    open_still = not held and any(part.value is None for part in parts)
    return _joined("any", None if open_still else len(held), 1, reason, parts)


def evaluate_not(part: Finding) -> Finding:
    """Earned where the part is known not to be."""
    value = None if part.value is None else int(not part.earned)
    return _joined("not", value, 1, f"not wanted: {part.reason}", [part])


def evaluate_manual(*_facts: Any) -> Finding:
    """Never earned: a person gives it."""
    return Finding(
        earned=False,
        value=None,
        target=1,
        reason="given by hand only",
        evidence={"metric": "manual", "value": None, "target": 1},
    )


def _joined(kind: str, value: int | None, target: int, reason: str, parts: Sequence[Finding]) -> Finding:
    evidence = {"metric": kind, "value": value, "target": target, "parts": [dict(part.evidence) for part in parts]}
    return Finding(
        earned=value is not None and value >= target, value=value, target=target, reason=reason, evidence=evidence
    )
