"""Signing in and out of the pages."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from services.api.problems import UNAUTHORIZED, Problem
from services.api.routes import parts_of
from services.pages.faults import page_router
from services.pages.render import HEADERS, page
from services.pages.visitor import SIGN_IN, forget, keep, local

# Browsers drop a larger cookie without a word.
COOKIE_BYTES: Final = 3_900
REASONS: Final = frozenset({"ended", "left"})

router = page_router()


@router.get(SIGN_IN)
async def form(request: Request, next: str = "/me", why: str = "") -> Response:
    """The form that takes a token."""
    return page(request, "sign_in.html", next=local(next), note=why if why in REASONS else None, refused=False)


@router.post(SIGN_IN)
async def sign_in(
    request: Request, token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/me"
) -> Response:
    """Takes a token, and leads to the page that was wanted."""
    token = token.strip()
    try:
        if len(token) > COOKIE_BYTES:
            raise Problem(UNAUTHORIZED, "The token is too long for a cookie.")
        await parts_of(request).gate.identify(f"Bearer {token}")
    except Problem as problem:
        if problem.kind is not UNAUTHORIZED:
            raise
        return page(request, "sign_in.html", status=401, next=local(next), note=None, refused=True)
    answer = RedirectResponse(local(next), 303, HEADERS)
    keep(request, answer, token)
    return answer


@router.post(f"{SIGN_IN}/end")
async def sign_out(request: Request) -> Response:
    """Takes the token from the browser."""
    answer = RedirectResponse(f"{SIGN_IN}?why=left", 303, HEADERS)
    forget(request, answer)
    return answer
