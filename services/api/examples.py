"""One example of each answer, for OpenAPI and the page /docs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from catalog.index import load_catalog
from services.api import trial_examples
from services.api.problems import (
    FORBIDDEN,
    INVALID,
    MEDIA_TYPE,
    NOT_FOUND,
    TOO_LARGE,
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNKNOWN_ACHIEVEMENT,
    Kind,
)
from services.api.view import icon_path

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_BADGES: Final = load_catalog().badges

GENRES: Final[Mapping[str, Any]] = {
    "id": "genre-tourist-silver",
    "category": "breadth",
    "name": "Genre Tourist",
    "tier": "silver",
    "description": "Own releases of 10 different genres.",
    "unlocked_at": "2024-05-01T10:00:00Z",
    "evidence": {"metric": "genres", "value": 10, "target": 10},
    "context": "",
    "rarity": {
        "holders": 1250,
        "share": 0.125,
        "active_holders": 910,
        "share_active": 0.182,
        "rank": None,
        "text": "held by 1,250 collectors, 12.5 % of all, 18.2 % of the active ones",
    },
    "hidden_until_earned": False,
    "icon": icon_path(_BADGES["genre-tourist-silver"]),
    "source": "auto",
}
MASTER: Final[Mapping[str, Any]] = {
    "id": "master-collector-bronze",
    "category": "completionist",
    "name": "Master Collector",
    "tier": "bronze",
    "description": "Own 3 pressings of one master.",
    "unlocked_at": "2024-06-11T19:20:00Z",
    "evidence": {"metric": "pressings", "value": 3, "target": 3, "master": "Blue Train", "master_id": 33217},
    "context": "master:33217",
    "rarity": {
        "holders": 410,
        "share": 0.041,
        "active_holders": 270,
        "share_active": 0.054,
        "rank": 17,
        "text": "held by 410 collectors, 4.1 % of all, 5.4 % of the active ones, 17th to earn it",
    },
    "hidden_until_earned": False,
    "icon": icon_path(_BADGES["master-collector-bronze"]),
    "source": "auto",
}
_STATS: Final[Mapping[str, Any]] = {
    "total_earned": 2,
    "by_category": {"breadth": 1, "completionist": 1},
    "rarest": MASTER,
}

LIST: Final[Mapping[str, Any]] = {"achievements": [GENRES, MASTER], "stats": _STATS, "next_cursor": None}
SUMMARY: Final[Mapping[str, Any]] = {**_STATS, "most_recent": MASTER}
PROGRESS: Final[Mapping[str, Any]] = {
    "in_progress": [
        {
            "id": "genre-tourist-gold",
            "name": "Genre Tourist",
            "category": "breadth",
            "next_tier": "gold",
            "context": "",
            "current": 11,
            "target": 20,
            "remaining": None,
            "reachable": False,
            "ceiling": 15,
            "reason": "11 of 20 genres; out of reach, there are only 15",
            "hint": "Out of reach, there are only 15 genres",
            "evidence": {"metric": "genres", "value": 11, "target": 20},
            "icon": icon_path(_BADGES["genre-tourist-gold"]),
        }
    ]
}
DETAIL: Final[Mapping[str, Any]] = {
    **MASTER,
    "earned": True,
    "awards": [
        {
            "context": MASTER["context"],
            "unlocked_at": MASTER["unlocked_at"],
            "source": MASTER["source"],
            "evidence": MASTER["evidence"],
            "today": None,
        }
    ],
    "ladder": [
        {
            "id": "master-collector-bronze",
            "tier": "bronze",
            "target": 3,
            "earned": True,
            "unlocked_at": MASTER["unlocked_at"],
        },
        {"id": "master-collector-silver", "tier": "silver", "target": 5, "earned": False, "unlocked_at": None},
    ],
    "next_cursor": None,
}
MISSING: Final[Mapping[str, Any]] = {
    "id": "label-loyalist-silver",
    "context": "label:23528",
    "context_name": "Warp Records",
    "kind": "releases",
    "owned": 90,
    "total": 243,
    "as_of": "2024-06-01",
    "target": 50,
    "needed": 32,
    "remaining": "Add 32 more Warp Records releases",
    "missing": [
        {"release_id": 3168, "title": "Track With No Name", "year": 1989},
        {"release_id": 1202, "title": "Dextrous", "year": 1989},
    ],
    "next_cursor": "WyJsYWJlbDoyMzUyOCIsIjE5ODkiLDEyMDJd",
}
WHY: Final[Mapping[str, Any]] = {
    "id": "world-collector-silver",
    "name": "World Collector Silver",
    "description": "Own releases from 15 countries.",
    "context": "",
    "context_name": None,
    "earned": False,
    "met_today": False,
    "remaining": "Add records from 3 more countries",
    "criterion": {
        "kind": "threshold",
        "words": "countries >= 15",
        "metric": "countries",
        "value": 12,
        "target": 15,
        "truth": False,
        "reason": "12 of 15 countries",
        "remaining": "Add records from 3 more countries",
        "children": [],
    },
    "snapshot": {"changed_at": "2024-06-11T19:20:00Z", "days": 3},
    "triggers": [{"type": "ownership.added", "last_event_at": "2024-06-11T19:20:00Z", "told_by": "sets"}],
    "since": "no subscribed event since 2024-06-11T19:20:00Z",
    "gaps": [{"field": "country", "missing": 41, "releases": 316, "words": "41 of 316 releases have no country"}],
    "award": None,
}
SHARE_BODY: Final[Mapping[str, Any]] = {
    "badge_key": "master-collector-bronze",
    "context": "master:33217",
    "name": "Ann",
    "language": "en",
}
SHARED: Final[Mapping[str, Any]] = {
    "token": "Zm9yLXlvdXItZXllcy1vbmx5",
    "url": "https://badges.example/share/Zm9yLXlvdXItZXllcy1vbmx5",
    **SHARE_BODY,
    "shared_at": "2024-06-12T08:00:00Z",
}
STREAM: Final = (
    "retry: 3000\nid: 41207\nevent: hello\ndata: {}\n\n"
    'id: 41211\nevent: awarded\ndata: {"badges": [{"id": "genre-tourist-silver", …}], "more": 0, "earned": 2}\n\n'
    'event: revoked\ndata: {"id": "owner-i", "context": ""}\n\n'
)
READY: Final[Mapping[str, Any]] = {
    "status": "ready",
    "stores": {"postgresql": "up"},
    "lag": {"outbox_oldest_seconds": 0.4, "ledger_moved_at": "2024-06-11T19:20:01Z", "partitions": 96},
}
HEALTH: Final[Mapping[str, Any]] = {"status": "ok"}

_PROBLEMS: Final[dict[int, tuple[Kind, str]]] = {
    401: (UNAUTHORIZED, "The token has expired."),
    403: (FORBIDDEN, "This needs a token with the role 'admin'."),
    404: (UNKNOWN_ACHIEVEMENT, "There is no achievement 'genre-tourist-wood'."),
    413: (TOO_LARGE, "A body has at most 65536 bytes here."),
    422: (INVALID, "limit: Input should be less than or equal to 500"),
    429: (TOO_MANY, "More than 600 per 1 minute for one user."),
    503: (UNAVAILABLE, "PostgreSQL does not answer."),
}


OF_OPERATION: Final[Mapping[tuple[str, str], Mapping[str, Any] | str]] = {
    ("get", "/api/user/achievements"): LIST,
    ("get", "/api/user/achievements/progress"): PROGRESS,
    ("get", "/api/user/achievements/summary"): SUMMARY,
    ("get", "/api/user/achievements/{achievement_id}"): DETAIL,
    ("get", "/api/user/achievements/{achievement_id}/missing"): MISSING,
    ("get", "/api/user/achievements/{achievement_id}/why"): WHY,
    ("post", "/api/user/achievements/what-if"): trial_examples.WHAT_IF,
    ("get", "/api/admin/users/{user_id}/achievements/{achievement_id}/why"): WHY,
    ("post", "/api/admin/dry-run"): trial_examples.DRY_RUN,
    ("post", "/api/admin/simulate"): trial_examples.SIMULATION,
    ("get", "/api/user/shares"): {"shares": [SHARED]},
    ("post", "/api/user/shares"): SHARED,
    ("get", "/api/user/stream"): STREAM,
    ("get", "/healthz"): HEALTH,
    ("get", "/readyz"): READY,
}


def responses(*problems: int, kept: bool = True, nothing: str | None = None) -> Responses:
    """What an endpoint answers beside 200: 304 where the client has it (what it may keep), and these problems.

    `nothing`: what 404 says where it is not about a badge.
    """
    found: Responses = {}
    if 401 in problems and kept:
        found[304] = {"description": "If-None-Match names what the client has."}
    for status in problems:
        kind, detail = (NOT_FOUND, nothing) if status == 404 and nothing else _PROBLEMS[status]
        body: dict[str, Any] = {"type": kind.type, "title": kind.title, "status": status, "detail": detail}
        if status == 422:
            name, _, fault = detail.partition(": ")
            body["errors"] = [{"in": "query", "parameter": name, "detail": fault}]
        schema = {"$ref": "#/components/schemas/ProblemBody"}
        found[status] = {"description": kind.title, "content": {MEDIA_TYPE: {"schema": schema, "example": body}}}
    return found


def body(model: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """What an endpoint reads, for OpenAPI: the body is not FastAPI's to parse."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}
