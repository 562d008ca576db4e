"""What a user shows to others: an award or the profile, each under a link that can be taken back."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from pydantic import Field

from contracts.times import rfc3339
from services.api import examples
from services.api.admin_body import Body, body_of
from services.api.answers import fresh_answer
from services.api.models.shares import Shared, SharedList
from services.api.problems import NOT_FOUND, UNKNOWN_ACHIEVEMENT, Problem, invalid
from services.api.routes import LONGEST_KEY, Parts, Who, parts_of
from services.pages.texts import FALLBACK, LANGUAGES
from services.share import names
from services.share.shown import TOKEN_BYTES
from services.stores import shares

LONGEST_CONTEXT: Final = 64
NOT_SHARED: Final = "You share nothing under this token."

# The shape is only told: whatever has another is a link that leads nowhere, 404.
Token = Annotated[
    str, InPath(description="The last part of the link.", json_schema_extra={"pattern": "^[A-Za-z0-9_-]{24}$"})
]

router = APIRouter(prefix="/api/user/shares", tags=["shares"])


class ShareBody(Body):
    """What to share: an award, or without a badge the profile; under which name, and in which language."""

    badge_key: str = Field(default=shares.PROFILE, max_length=LONGEST_KEY)
    context: str = Field(default="", max_length=LONGEST_CONTEXT)
    name: str = Field(default="", max_length=4 * names.LONGEST)
    language: str = Field(default=FALLBACK, json_schema_extra={"enum": [*LANGUAGES]})


@router.get("", response_model=SharedList, responses=examples.responses(401, 429, 503, kept=False))
async def list_shares(request: Request, who: Who) -> Response:
    """What you share, the newest first."""
    found = await parts_of(request).reader.ask(shares.of_user, who.user_id)
    return fresh_answer({"shares": [_shown(request, one) for one in found]})


@router.post(
    "",
    response_model=Shared,
    responses=examples.responses(401, 404, 413, 422, 429, 503, kept=False),
    openapi_extra=examples.body("ShareBody", examples.SHARE_BODY),
)
async def share(request: Request, who: Who) -> Response:
    """Share an award or the profile; what is shared already keeps its link, under the new name."""
    body = await body_of(request, ShareBody)
    if body.language not in LANGUAGES:
        raise invalid("language", f"one of {', '.join(LANGUAGES)}")
    one = await put(parts_of(request), who.user_id, body.badge_key, body.context, body.name, body.language)
    return fresh_answer(_shown(request, one))


@router.delete(
    "/{token}",
    status_code=204,
    response_class=Response,
    responses=examples.responses(401, 404, 422, 429, 503, kept=False, nothing=NOT_SHARED),
)
async def take_back(request: Request, who: Who, token: Token) -> Response:
    """Share it no more: the link leads nowhere from now on."""
    if not _sound(token) or not await parts_of(request).writer.ask(shares.take_back, who.user_id, token):
        raise Problem(NOT_FOUND, NOT_SHARED)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def put(parts: Parts, user_id: str, badge_key: str, context: str, name: str, language: str) -> shares.Share:
    """Share an award that stands, or the profile.

    Raises:  Problem 404 where the user has no such award, or none at all; 422 for a name that is too long.
    """
    try:
        name = names.clean(name)
    except ValueError as error:
        raise invalid("name", str(error)) from None
    known = badge_key == shares.PROFILE or badge_key in parts.view.catalog.badges
    one = None
    if known and _sound(context):
        token = secrets.token_urlsafe(TOKEN_BYTES)
        one = await parts.writer.ask(shares.put, user_id, badge_key, context, token, name, language)
    if one is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, "You have no such award to share.")
    return one


def base_of(request: Request) -> str:
    """What addresses begin with for somebody elsewhere: what is set, else as the service was asked."""
    return str(request.app.state.public_url or request.base_url).rstrip("/")


def _shown(request: Request, one: shares.Share) -> dict[str, Any]:
    return {
        "token": one.token,
        "url": f"{base_of(request)}/share/{one.token}",
        "badge_key": one.badge_key,
        "context": one.context,
        "name": one.name,
        "language": one.language,
        "shared_at": rfc3339(one.shared_at),
    }


def _sound(text: str) -> bool:
    """Whether PostgreSQL and JSON take the text."""
    return "\0" not in text and text.isprintable()
