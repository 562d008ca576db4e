"""The collector's first page, what is missing for a badge, pins, and the files that pages load."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from catalog.definition import CATEGORIES
from services.api.problems import INVALID, NOT_FOUND, UNKNOWN_ACHIEVEMENT, Problem
from services.api.routes import LONGEST_CURSOR, parts_of
from services.api.view import RETIRED
from services.missing.answer import missing as missing_for
from services.missing.asked import Asked as MissingAsked
from services.missing.asked import Unfit, mark_of
from services.pages import cards, grid, strip, words
from services.pages.assets import assets
from services.pages.faults import page_router
from services.pages.render import HEADERS, page, texts
from services.pages.visitor import Visitor, local
from services.stores import showcase
from services.stores.standings import standing

FOR_EVER: Final = "public, max-age=31536000, immutable"
LONGEST_NAME: Final = 128
# More than there are families and contexts that progress names.
EVERY: Final = 1_000
MISSING: Final = 50

router = page_router()
files = APIRouter(include_in_schema=False)


@router.get("/me")
async def me(
    request: Request,
    who: Visitor,
    category: str = "",
    show: str = "all",
    q: Annotated[str, Query(max_length=grid.LONGEST_TEXT)] = "",
    full: bool = False,
) -> Response:
    """What the collector has earned, what comes next, and all there is."""
    parts, t = parts_of(request), texts(request)
    view, catalog = parts.view, parts.view.catalog
    q = q.replace("\0", "").strip()
    shelf = await parts.reader.ask(showcase.shelf, who.user_id, view.ladders, q, grid.CONTEXTS)
    stands = standing(await parts.reads.standings.ask(who.user_id))
    progress = view.progress(stands, datetime.now(UTC), EVERY)["in_progress"]
    asked = grid.Asked(category if category in (*CATEGORIES, RETIRED) else "", show if show in grid.SHOWN else "all", q)
    found = grid.families(t, catalog, shelf.best, progress, asked)
    return page(
        request,
        "me.html",
        total=shelf.total,
        families_held=len({award.family for award in shelf.best}),
        families_all=len(catalog.families),
        cards=[cards.card(t, catalog, award) for award in shelf.showcase],
        near=strip.strip(t, catalog, progress),
        grid=found,
        grid_size=sum(len(families) for _, families in found),
        asked=asked,
        categories=CATEGORIES,
        full=full,
    )


@router.get("/me/missing/{key}")
async def missing(
    request: Request,
    who: Visitor,
    key: str,
    context: Annotated[str, Query(max_length=LONGEST_NAME)] = "",
    limit: Annotated[int, Query(ge=1, le=MISSING)] = MISSING,
    cursor: Annotated[str | None, Query(max_length=LONGEST_CURSOR)] = None,
) -> Response:
    """What is missing for a badge, a page at a time."""
    parts, t = parts_of(request), texts(request)
    badge = parts.view.catalog.badges.get(key)
    found = None
    try:
        if badge is not None:
            after = None if cursor is None else mark_of(cursor)
            asked = MissingAsked(badge, context, limit, after, datetime.now(UTC))
            found = await parts.reader.ask(missing_for, who.user_id, asked)
    except Unfit as unfit:
        raise Problem(INVALID, str(unfit)) from None
    if badge is None or found is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, "There is no such badge.")
    of = words.context_name(t, found["context"], found["context_name"])
    following = None
    if found["next_cursor"]:
        following = f"{request.url.path}?{urlencode({'context': found['context'], 'cursor': found['next_cursor']})}"
    return page(
        request,
        "missing.html",
        badge=badge,
        tier=words.tier(t, badge.tier),
        tone=cards.tone(badge),
        about=words.about(t, badge),
        of=of,
        need=words.still(t, badge, found, of),
        found=found,
        gaps=strip.gaps(t, found["missing"]),
        following=following,
        detail=cards.badge_path(key, found["context"]),
    )


@router.post("/me/pins")
async def change_pin(
    request: Request,
    who: Visitor,
    key: Annotated[str, Form(max_length=LONGEST_NAME)],
    context: Annotated[str, Form(max_length=LONGEST_NAME)] = "",
    act: Annotated[str, Form()] = "pin",
    next: Annotated[str, Form()] = "/me",
) -> Response:
    """Pins an award to the showcase, or takes the pin away."""
    if "\0" in key + context:
        raise Problem(INVALID, "No badge has such a name.")
    writer = parts_of(request).writer
    where = local(next)
    if act == "unpin":
        await writer.ask(showcase.unpin, who.user_id, key, context)
    elif not await writer.ask(showcase.pin, who.user_id, key, context):
        where = "/me?full=1"
    return RedirectResponse(where, 303, HEADERS)


@files.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """A file of the pages, for ever: its name changes with its content."""
    found = assets().find(name)
    if found is None:
        raise Problem(NOT_FOUND, "There is no such file.")
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.media_type)
    return Response(found.plain, headers=headers, media_type=found.media_type)
