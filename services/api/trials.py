"""The endpoint that tries a change of the collection: before you sell this record."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from services.api import examples, trial_examples
from services.api.answers import fresh_answer
from services.api.bodies import body_of
from services.api.models.trials import WhatIf
from services.api.routes import Who, parts_of
from services.trial.knowledge import trial_knowledge
from services.trial.what_if import Change as Change
from services.trial.what_if import decoder
from services.trial.what_if import what_if as tried

router = APIRouter(prefix="/api/user/achievements", tags=["achievements"])


@router.post(
    "/what-if",
    response_model=WhatIf,
    responses=examples.responses(401, 413, 422, 429, 503, kept=False),
    openapi_extra=examples.body("Change", trial_examples.CHANGE),
)
async def what_if(request: Request, who: Who) -> Response:
    """What would happen if these releases came and these copies left; nothing is written."""
    parts = parts_of(request)
    change = await body_of(request, decoder)
    knowledge = trial_knowledge(parts.view.catalog)
    return fresh_answer(await parts.reader.ask(tried, knowledge, who.user_id, change, datetime.now(UTC)))
