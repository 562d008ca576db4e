"""The endpoint that says why a badge is held, or is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from services.api import examples
from services.api.answers import json_answer
from services.api.models.why import Why
from services.api.problems import UNKNOWN_ACHIEVEMENT, Problem, invalid
from services.api.routes import LONGEST_CONTEXT, LONGEST_KEY, Who, may_be_a_key, parts_of
from services.missing.asked import Unfit
from services.why.answer import Asked
from services.why.answer import why as why_for

Key = Annotated[str, InPath(description="A badge's key.", examples=["world-collector-silver"])]
Context = Annotated[
    str,
    Query(max_length=LONGEST_CONTEXT, description='"label:23528"; the newest award\'s or the nearest if left out.'),
]

router = APIRouter(prefix="/api/user/achievements", tags=["achievements"])


@router.get("/{achievement_id}/why", response_model=Why, responses=examples.responses(401, 404, 422, 429, 503))
async def why(request: Request, achievement_id: Key, who: Who, context: Context = "") -> Response:
    """Why you have a badge, or have it not: its rule part by part, your numbers, and what they rest on."""
    return await answer(request, who.user_id, achievement_id, context)


async def answer(
    request: Request, user_id: str, achievement_id: str, context: str, *, secrets_too: bool = False
) -> Response:
    """Why a user has a badge, or has it not.

    Shape:   `secrets_too`: for operators, of badges in the shadow as well.
    Raises:  Problem 404 for a badge that is unknown, or secret and not earned; 422 for a context it does not have.
    """
    parts = parts_of(request)
    found = None
    if may_be_a_key(achievement_id):
        catalog = parts.catalog if secrets_too else parts.view.catalog
        asked = Asked(achievement_id, context, datetime.now(UTC), secrets_too)
        try:
            found = await parts.reader.ask(why_for, user_id, catalog, asked)
        except Unfit as unfit:
            raise invalid(unfit.parameter, str(unfit), "query") from None
    if found is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, f"There is no achievement {achievement_id[:LONGEST_KEY]!r}.")
    return json_answer(request, found)
