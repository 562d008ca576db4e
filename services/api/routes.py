"""The endpoints about a user's achievements: thin, each one question to PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath

from catalog.index import Catalog
from services.api import examples
from services.api.answers import json_answer, private
from services.api.auth import ADMIN, Gate, Identity
from services.api.models.achievements import AchievementDetail, AchievementList, ProgressList, Summary
from services.api.problems import NOT_FOUND, UNKNOWN_ACHIEVEMENT, Problem, invalid
from services.api.rates import Rate
from services.api.reader import Reader
from services.api.reads import Reads
from services.api.view import View, place_of
from services.cursors import NoMark
from services.stores import achievements
from services.stores.achievements import Place

PAGE: Final = 200
LONGEST_PAGE: Final = 500
PROGRESS: Final = 20
LONGEST_PROGRESS: Final = 100
LONGEST_CURSOR: Final = 512
LONGEST_KEY: Final = 128
LONGEST_CONTEXT: Final = 64


@dataclass(frozen=True, slots=True)
class Parts:
    """What the endpoints work with; `app.state.parts`.

    Shape:   `catalog` is for admins, `view` has of it what collectors may know; `reads` are the answers read most, the
             others are asked of `reader`; `probe` is one that does not wait for long, `patient` one for what operators
             ask; `writer` connects as who may write, for admins alone.
    """

    catalog: Catalog
    view: View
    gate: Gate
    rate: Rate
    reads: Reads
    reader: Reader
    probe: Reader
    patient: Reader
    writer: Reader


def parts_of(request: Request) -> Parts:
    """The parts of the app that was asked."""
    parts: Parts = request.app.state.parts
    return parts


async def identity(request: Request) -> Identity:
    """Who asks, if not too often; as a dependency it is asked before parameters are looked at."""
    parts = parts_of(request)
    who = await parts.gate.identify(request.headers.get("authorization"))
    parts.rate.check(who.user_id)
    return who


async def admin(who: Annotated[Identity, Depends(identity)]) -> Identity:
    """Who asks, being an admin."""
    who.require(ADMIN)
    return who


def place(cursor: str | None) -> Place | None:
    """Where the page begins.

    Raises:  Problem 422 for a cursor that we did not give.
    """
    if cursor is None:
        return None
    try:
        return place_of(cursor)
    except NoMark as error:
        raise invalid("cursor", str(error), "query") from None


Who = Annotated[Identity, Depends(identity)]
Cursor = Annotated[str | None, Query(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Awards on a page.")]

router = APIRouter(prefix="/api/user/achievements", tags=["achievements"])
admin_router = APIRouter(prefix="/api/admin", dependencies=[Depends(admin)], include_in_schema=False)


@router.get("", response_model=AchievementList, responses=examples.responses(401, 422, 429, 503))
async def list_achievements(request: Request, who: Who, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Everything you have earned, with statistics over all of it."""
    parts = parts_of(request)
    return private(request, await parts.reads.page(who.user_id, limit, place(cursor)))


@router.get("/progress", response_model=ProgressList, responses=examples.responses(401, 422, 429, 503))
async def progress(
    request: Request,
    who: Who,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PROGRESS, description="Entries at most.")] = PROGRESS,
) -> Response:
    """The next tiers, nearest first, as of today (UTC)."""
    return private(request, await parts_of(request).reads.progress(who.user_id, limit))


@router.get("/summary", response_model=Summary, responses=examples.responses(401, 429, 503))
async def summary(request: Request, who: Who) -> Response:
    """How much you have earned, the rarest and the newest of it."""
    parts = parts_of(request)
    found = await parts.reader.ask(achievements.summary, who.user_id, parts.view.scores)
    return json_answer(request, parts.view.summary(found))


@router.get(
    "/{achievement_id}",
    response_model=AchievementDetail,
    responses=examples.responses(401, 404, 422, 429, 503),
)
async def detail(
    request: Request,
    achievement_id: Annotated[str, InPath(description="A badge's key.", examples=["genre-tourist-silver"])],
    who: Who,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """One badge: your awards of it, and the ladder it belongs to."""
    after, found = place(cursor), None
    if may_be_a_key(achievement_id):
        found = await parts_of(request).reads.detail(who.user_id, achievement_id, limit, after)
    if found is None:
        raise unknown(achievement_id)
    return private(request, found)


@admin_router.api_route("", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@admin_router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def nothing_for_admins_yet() -> Response:
    """Whatever stands below this address is for admins: others do not even learn that there is nothing yet."""
    raise Problem(NOT_FOUND, "There is nothing at this address; /docs lists what there is.")


def may_be_a_key(text: str) -> bool:
    return len(text) <= LONGEST_KEY and text.isascii() and text.replace("-", "").isalnum()


def unknown(achievement_id: str) -> Problem:
    """404 for a badge that there is not, or of which the user must not know."""
    return Problem(UNKNOWN_ACHIEVEMENT, f"There is no achievement {achievement_id[:LONGEST_KEY]!r}.")
