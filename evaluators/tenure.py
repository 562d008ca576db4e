"""Whether the user joined long enough ago.

Shape:   one number per user.
Units:   full years at `occasion.on`; who joined on 29 February completes a year on 28 February in common years.
Raises:  nothing; an unknown join date is "not earned".
"""

from __future__ import annotations

from catalog.definition import TENURE_METRIC, Tenure
from contracts.snapshot import Occasion, Snapshot, measure
from evaluators.verdict import Finding, measured


def evaluate_tenure(criterion: Tenure, snapshot: Snapshot, occasion: Occasion, _context: str) -> Finding:
    """Earned on the day the years are full, and after."""
    value = measure(snapshot, TENURE_METRIC, "", occasion.on)
    if value is None or snapshot.joined_on is None:
        reason = "join date not known"
    elif value <= criterion.years:
        reason = f"joined on {snapshot.joined_on.isoformat()}: {value} of {criterion.years} years"
    else:
        reason = f"joined on {snapshot.joined_on.isoformat()}: {value} years, {criterion.years} needed"
    return Finding(
        earned=value is not None and value >= criterion.years,
        value=value,
        target=criterion.years,
        reason=reason,
        evidence=measured(TENURE_METRIC, value, criterion.years, snapshot.details(TENURE_METRIC)),
    )
