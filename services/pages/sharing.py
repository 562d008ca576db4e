"""Where a collector shares a badge or the profile, sees the card, and takes it back."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from services.api.problems import UNKNOWN_ACHIEVEMENT, Problem
from services.api.routes import LONGEST_KEY, parts_of
from services.api.shares import LONGEST_CONTEXT, base_of, put
from services.pages.cards import badge_path
from services.pages.faults import page_router
from services.pages.render import HEADERS, language_of, page
from services.pages.visitor import Visitor
from services.share import names
from services.share.shown import look
from services.stores import shares

LONGEST: Final = 4 * names.LONGEST
Key = Annotated[str, Query(max_length=LONGEST_KEY)]
Context = Annotated[str, Query(max_length=LONGEST_CONTEXT)]

router = page_router()


@router.get("/me/share")
async def offer(request: Request, who: Visitor, key: Key = "", context: Context = "") -> Response:
    """What would be shared, or is."""
    parts = parts_of(request)
    badge = parts.view.catalog.badges.get(key)
    if key and badge is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, "There is no such badge.")
    mine = await parts.reader.ask(shares.of_user, who.user_id)
    one = next((one for one in mine if (one.badge_key, one.context) == (key, context)), None)
    shown = None if one is None else await parts.reader.ask(look, parts.view, one.token)
    return page(
        request,
        "sharing.html",
        key=key,
        context=context,
        title="" if badge is None else badge.name,
        name=one.name if one else next((other.name for other in mine), ""),
        longest=names.LONGEST,
        address=None if one is None or shown is None else f"{base_of(request)}/share/{one.token}",
        token=one.token if one else "",
        card=None if shown is None else Markup(shown.card()),
        back=badge_path(key, context) if key else "/me",
    )


@router.post("/me/share")
async def act(
    request: Request,
    who: Visitor,
    key: Annotated[str, Form(max_length=LONGEST_KEY)] = "",
    context: Annotated[str, Form(max_length=LONGEST_CONTEXT)] = "",
    name: Annotated[str, Form(max_length=LONGEST)] = "",
    token: Annotated[str, Form(max_length=LONGEST_KEY)] = "",
    act: Annotated[str, Form()] = "share",
) -> Response:
    """Share it, or take it back."""
    parts = parts_of(request)
    if act == "stop":
        await parts.writer.ask(shares.take_back, who.user_id, token.replace("\0", ""))
    else:
        await put(parts, who.user_id, key, context, name, language_of(request))
    asked = urlencode({name: value for name, value in (("key", key), ("context", context)) if value})
    return RedirectResponse("/me/share" + (f"?{asked}" if asked else ""), 303, HEADERS)
