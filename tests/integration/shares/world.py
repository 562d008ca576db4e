"""Awards to share, and what a link leads to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx

SHARES = "/api/user/shares"
AT = datetime(2024, 5, 21, 10, tzinfo=UTC)
SITE = "https://app.example"
EVIDENCE = {"metric": "label_coverage", "value": 90, "target": 90, "label": "R & S <Records>", "label_id": 1}
EVIDENCE |= {"owned": 703, "total": 885, "percentage": 79.4, "as_of": "2015-01-01"}
AWARD, PROFILE, NOTHING = [200] * 3 + [404] * 3, [200] * 6, [404] * 6

Share = Callable[..., Awaitable[dict[str, Any]]]


async def statuses(client: httpx.AsyncClient, token: str) -> list[int]:
    """Of the page, its pictures and what is embedded."""
    paths = [f"/share/{token}{ending}" for ending in ("", ".svg", ".png")]
    paths += [f"/embed/showcase{ending}?share={token}" for ending in ("", ".json", ".html")]
    return [(await client.get(path)).status_code for path in paths]
