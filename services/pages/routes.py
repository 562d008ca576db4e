"""The collector's first page, and the files that pages load."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from services.api.problems import NOT_FOUND, Problem
from services.api.routes import parts_of
from services.pages.assets import assets
from services.pages.faults import page_router
from services.pages.render import page
from services.pages.visitor import Visitor
from services.stores import achievements

FOR_EVER: Final = "public, max-age=31536000, immutable"

router = page_router()
files = APIRouter(include_in_schema=False)


@router.get("/me")
async def me(request: Request, who: Visitor) -> Response:
    """What the collector has earned, and what comes next."""
    parts = parts_of(request)
    summary = parts.view.summary(await parts.reader.ask(achievements.summary, who.user_id, parts.view.scores))
    return page(request, "me.html", summary=summary)


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
