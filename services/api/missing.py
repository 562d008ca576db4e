"""The endpoint that says what is missing for a badge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from services.api import examples
from services.api.answers import json_answer
from services.api.models.missing import MissingList
from services.api.problems import UNKNOWN_ACHIEVEMENT, Problem, invalid
from services.api.routes import LONGEST_CONTEXT, LONGEST_KEY, LONGEST_PAGE, Cursor, Who, parts_of
from services.missing.answer import missing as missing_for
from services.missing.asked import Asked, Unfit, mark_of

ENTRIES: Final = 50

router = APIRouter(prefix="/api/user/achievements", tags=["achievements"])


@router.get(
    "/{achievement_id}/missing",
    response_model=MissingList,
    response_model_exclude_unset=True,
    responses=examples.responses(401, 404, 422, 429, 503),
)
async def missing(
    request: Request,
    achievement_id: Annotated[str, InPath(description="A badge's key.", examples=["label-loyalist-silver"])],
    who: Who,
    context: Annotated[
        str, Query(max_length=LONGEST_CONTEXT, description='"label:23528"; the nearest one if left out.')
    ] = "",
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Entries on a page.")] = ENTRIES,
    cursor: Cursor = None,
) -> Response:
    """What you still need for a badge: releases, works or values you do not have, and how many the tier takes."""
    parts = parts_of(request)
    badge = parts.view.catalog.badges.get(achievement_id)
    found = None
    try:
        after = None if cursor is None else mark_of(cursor)
        if badge is not None:
            asked = Asked(badge, context, limit, after, datetime.now(UTC))
            found = await parts.reader.ask(missing_for, who.user_id, asked)
    except Unfit as unfit:
        raise invalid(unfit.parameter, str(unfit), "query") from None
    if found is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, f"There is no achievement {achievement_id[:LONGEST_KEY]!r}.")
    return json_answer(request, found)
