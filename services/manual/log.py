"""The log of acts by hand, as the API and `--json` show it."""

from __future__ import annotations

import json
from typing import Any

from contracts.times import rfc3339
from services.stores.by_hand import Entry


def shown(entry: Entry) -> dict[str, Any]:
    """A row of the log; of a deleted user the keyed hash, and null for what went with the user."""
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "by": entry.by,
        "act": entry.act,
        "user_id": entry.user_id,
        "user_hash": entry.user_hash,
        "badge_key": entry.badge_key,
        "context": entry.context,
        "award_id": None if entry.award_id is None else str(entry.award_id),
        "revision": entry.revision,
        "reason": entry.reason,
        "before": None if entry.before is None else json.loads(entry.before),
        "after": None if entry.after is None else json.loads(entry.after),
    }
