"""What is shared, for whoever has the link: a page, pictures, and what other sites put into theirs."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Request, Response
from markupsafe import Markup

from services import pool
from services.api.answers import tagged
from services.api.guard import network
from services.api.problems import NOT_FOUND, Problem, unavailable
from services.api.routes import parts_of
from services.api.shares import base_of
from services.api.view import icon_path
from services.logs import logger
from services.pages.faults import page_router
from services.pages.render import html, page, rendered
from services.share.shown import Shown, look

# A link that was taken back leads nowhere at once; who looks again asks whether it still holds.
UNTIL_ASKED: Final = "no-cache"
PRIVATE_LINK: Final = {
    "Cache-Control": UNTIL_ASKED,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
PICTURE: Final = {**PRIVATE_LINK, "Cross-Origin-Resource-Policy": "cross-origin"}
FRAMED: Final = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors {}"

router = page_router()


async def shared(request: Request, token: str) -> Shown:
    """What is shared under the token, if not asked for too often.

    Raises:  Problem 404 where nothing is, 429.
    """
    client = request.client
    request.app.state.share_rate.check(network(client.host) if client else "unknown")
    parts = parts_of(request)
    found = await parts.reader.ask(look, parts.view, token)
    if found is None:
        raise Problem(NOT_FOUND, "Nothing is shared here, or not any more.")
    return found


async def embedded(request: Request, share: str = "") -> Shown:
    """The profile that is shared under the token.

    Raises:  Problem 404 where none is, 429.
    """
    found = await shared(request, share)
    if not found.profile:
        raise Problem(NOT_FOUND, "This is no profile.")
    return found


Found = Annotated[Shown, Depends(shared)]
Profile = Annotated[Shown, Depends(embedded)]


@router.get("/share/{token}.svg")
async def svg(request: Request, found: Found) -> Response:
    """The card."""
    return tagged(request, found.card().encode(), "image/svg+xml", dict(PICTURE))


@router.get("/share/{token}.png")
async def png(request: Request, found: Found) -> Response:
    """The card, for who shows no SVG."""
    try:
        drawn = await request.app.state.pictures.png(found.card())
    except (pool.Died, TimeoutError, FileNotFoundError) as error:
        logger(__name__).error("card not drawn", error=f"{type(error).__name__}: {error}")
        raise unavailable("The card cannot be drawn.") from error
    return tagged(request, drawn, "image/png", dict(PICTURE))


@router.get("/share/{token}")
async def card(request: Request, token: str, found: Found) -> Response:
    """A page with the card, and what other sites show of a link to it."""
    address = f"{base_of(request)}/share/{token}"
    return page(request, "share.html", headers=PRIVATE_LINK, shown=found, address=address, card=Markup(found.card()))


@router.get("/embed/showcase.json")
async def as_json(request: Request, found: Profile, share: str) -> Response:
    """A shared profile as data."""
    base = base_of(request)
    body = {
        "name": found.by,
        "total": found.summary,
        "language": found.language,
        "url": f"{base}/share/{share}",
        "badges": [
            {
                "id": one.badge.key,
                "name": one.name,
                "category": one.badge.category,
                "tier": one.badge.tier,
                "of": one.of or None,
                "evidence": one.proof or None,
                "day": one.day,
                "icon": base + icon_path(one.badge),
            }
            for one in found.badges
        ],
    }
    return tagged(request, msgspec.json.encode(body), "application/json", _for_sites(request))


@router.get("/embed/showcase")
async def fragment(request: Request, found: Profile, share: str) -> Response:
    """A shared profile as a piece of HTML, without styles and scripts."""
    headers = {**_for_sites(request), "Content-Security-Policy": FRAMED.format("'none'")}
    return tagged(request, _piece(request, "embed.html", found, share), "text/html; charset=utf-8", headers)


@router.get("/embed/showcase.html")
async def frame(request: Request, found: Profile, share: str) -> Response:
    """A shared profile as a page to be framed, by the sites that are set."""
    origins = sorted(request.app.state.embed_origins)
    headers = {**_for_sites(request), "Content-Security-Policy": FRAMED.format(" ".join(origins) or "'none'")}
    if origins:
        headers["X-Frame-Options"] = ""  # it knows no list of sites; the policy does
    return html(request, _piece(request, "embed_page.html", found, share), 200, headers)


def _piece(request: Request, template: str, found: Shown, share: str) -> bytes:
    values: dict[str, Any] = {"shown": found, "base": base_of(request), "share": share, "icon_path": icon_path}
    return rendered(found.language, template, **values)


def _for_sites(request: Request) -> dict[str, str]:
    """Headers of an answer that the sites that are set may read."""
    headers = {**PRIVATE_LINK, "Vary": "Origin, Accept-Encoding"}
    origin = request.headers.get("origin")
    if origin in request.app.state.embed_origins:
        headers["Access-Control-Allow-Origin"] = str(origin)
    return headers
