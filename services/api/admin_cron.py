"""What the scheduler did, for admins: its jobs, and how many held a badge day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from services.api.answers import json_answer
from services.api.problems import UNKNOWN_ACHIEVEMENT, Problem
from services.api.routes import LONGEST_KEY, admin, parts_of
from services.scheduler.listing import standing
from services.settings import Settings
from services.stores import holders

DAYS: Final = 30
MOST_DAYS: Final = 400


def router(settings: Settings) -> APIRouter:
    """The endpoints; `settings` say when jobs are due."""
    made = APIRouter(prefix="/api/admin", dependencies=[Depends(admin)], include_in_schema=False)

    @made.get("/cron")
    async def list_jobs(request: Request) -> Response:
        """What `gatefold cron list --json` shows."""
        now = datetime.now(UTC)
        return json_answer(request, {"jobs": await parts_of(request).reader.ask(standing, settings, now)})

    @made.get("/achievements/{achievement_id}/holders")
    async def history(
        request: Request, achievement_id: str, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = DAYS
    ) -> Response:
        """Holders of a badge day by day, as shares of all users and of the active ones, the latest day last."""
        parts = parts_of(request)
        if achievement_id not in parts.catalog.badges:
            raise Problem(UNKNOWN_ACHIEVEMENT, f"There is no achievement {achievement_id[:LONGEST_KEY]!r}.")
        since = datetime.now(UTC).date() - timedelta(days=days - 1)
        found = await parts.reader.ask(holders.history, achievement_id, since)
        shown = [day._asdict() | {"counted_on": day.counted_on.isoformat()} for day in found]
        return json_answer(request, {"id": achievement_id, "days": shown})

    return made
