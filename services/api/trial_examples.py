"""One example of each trial: what is asked, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CHANGE: Final[Mapping[str, Any]] = {
    "add": [{"id": 1475088, "title": "Rumours", "country": "US", "year": 1977, "genres": ["Rock"]}],
    "remove": [48151623],
}
WHAT_IF: Final[Mapping[str, Any]] = {
    "gains": [
        {
            "id": "genre-tourist-bronze",
            "name": "Genre Tourist Bronze",
            "category": "breadth",
            "tier": "bronze",
            "context": "",
            "reason": "5 of 5 genres",
            "evidence": {
                "metric": "genres",
                "value": 5,
                "target": 5,
                "earned_with": {"release_id": 1475088, "title": "Rumours"},
            },
            "highest_in_family": True,
        }
    ],
    "loses": [
        {
            "id": "owner-iii",
            "name": "Owner III",
            "context": "",
            "before": 100,
            "after": 99,
            "target": 100,
            "reason": "99 of 100 releases",
            "award_stands": True,
        }
    ],
    "changes": [{"metric": "genres", "context": "", "before": 4, "after": 5}],
    "unknown": [],
}
DRY_RUN_BODY: Final[Mapping[str, Any]] = {"type": "cron.sweep", "user": "ann"}
DRY_RUN: Final[Mapping[str, Any]] = {
    "runs": [
        {
            "user": "ann",
            "event": {"type": "cron.sweep", "time": "2024-06-14T09:00:00Z"},
            "passes": [{**WHAT_IF["gains"][0], "awarded_at": "2024-06-14T09:00:00Z", "held": False, "shadow": False}],
            "awards": 1,
        }
    ],
    "summary": {
        "users": 1,
        "with_awards": 1,
        "awards": 1,
        "held": 0,
        "by_badge": {"genre-tourist-bronze": 1},
        "failed": [],
    },
}
SIMULATE_BODY: Final[Mapping[str, Any]] = {"user": "ann", "set": {"genres": 5}}
SIMULATION: Final[Mapping[str, Any]] = {
    "timeline": [
        {
            "time": "2024-06-14T00:00:00Z",
            "user": "ann",
            "event": {"line": None, "type": "cron.sweep", "source": None, "id": None},
            "badge": "genre-tourist-bronze",
            "context": "",
            "reason": "5 of 5 genres",
            "evidence": {"metric": "genres", "value": 5, "target": 5},
            "shadow": False,
        }
    ],
    "played": 1,
    "bad": [],
    "repeated": [],
}
