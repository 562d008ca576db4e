"""Who looks at the pages: the API's token in a cookie; and where forms may come from."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from services.api.auth import Identity
from services.api.problems import FORBIDDEN, UNAUTHORIZED, Problem
from services.api.routes import parts_of

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN: Final = "/session"


def cookie_name(request: Request) -> str:
    """`__Host-`: a browser takes it over TLS or from this machine only, and from no other host of the domain."""
    return "__Host-gatefold" if request.app.state.pages_secure else "gatefold"


def keep(request: Request, answer: Response, token: str) -> None:
    """Give the browser the token, until it closes; its own `exp` ends it sooner."""
    secure = request.app.state.pages_secure
    answer.set_cookie(cookie_name(request), token, path="/", secure=secure, httponly=True, samesite="lax")


def forget(request: Request, answer: Response) -> None:
    """Take the token from the browser."""
    secure = request.app.state.pages_secure
    answer.delete_cookie(cookie_name(request), path="/", secure=secure, httponly=True, samesite="lax")


async def visitor(request: Request) -> Identity:
    """Who is signed in, if not too often here.

    Raises:  Problem 401 for nobody, 429.
    """
    parts = parts_of(request)
    token = request.cookies.get(cookie_name(request))
    if token is None:
        raise Problem(UNAUTHORIZED, "Nobody is signed in.")
    who = await parts.gate.identify(f"Bearer {token}")
    parts.rate.check(who.user_id)
    request.state.visitor = who.user_id
    return who


Visitor = Annotated[Identity, Depends(visitor)]


async def from_here(request: Request) -> None:
    """Lets a form through that was sent from a page of ours; for signing in also from the origins that are set.

    Browsers that send Sec-Fetch-Site know best; for others, and over plain HTTP, Origin must name our host.
    Raises:  Problem 403 for any other, and for what says neither.
    """
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    if request.url.path == SIGN_IN and origin in request.app.state.pages_origins:
        return
    site = request.headers.get("sec-fetch-site")
    if site is None:
        ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    else:
        ours = site in ("same-origin", "none")
    if not ours:
        raise Problem(FORBIDDEN, "The form was sent from another site.")


def local(path: str | None) -> str:
    """The path, where it leads to a page of ours; else the visitor's first page."""
    good = path is not None and path.startswith("/me") and path.isprintable() and "\\" not in path
    return path if good and path is not None else "/me"
