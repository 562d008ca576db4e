"""What goes wrong on a page is a page as well: signing in again, 404, 403, 503 …"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from services.api.problems import INVALID, NOT_FOUND, UNAUTHORIZED, Kind, Problem
from services.pages.render import HEADERS, page
from services.pages.visitor import SIGN_IN, cookie_name, from_here


class PageRoute(APIRoute):
    """A route whose problems are shown to people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                if problem.kind is UNAUTHORIZED:
                    return to_sign_in(request)
                return fault(request, problem.kind, {**problem.headers})
            except RequestValidationError:
                return fault(request, INVALID)

        return handled


def page_router() -> APIRouter:
    """A router for pages: forms from elsewhere are refused, problems are pages, the API's document has none of it."""
    return APIRouter(route_class=PageRoute, dependencies=[Depends(from_here)], include_in_schema=False)


def fault(request: Request, kind: Kind, headers: dict[str, str] | None = None) -> Response:
    """The page about a problem."""
    name = kind.slug.replace("-", "_")
    return page(
        request, "fault.html", status=int(kind.status), headers=headers, kind=name, status_code=int(kind.status)
    )


def to_sign_in(request: Request) -> Response:
    """To the form, which leads back to this page."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked_by_script = request.headers.get("hx-request") == "true"
    if asked_by_script or request.method != "GET":
        # The page they look at, not the part that was asked for nor the form that was sent.
        seen = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer") or "")
        wanted = seen.path + (f"?{seen.query}" if seen.query else "")
    asked = {"next": wanted}
    if cookie_name(request) in request.cookies:
        asked["why"] = "ended"
    where = f"{SIGN_IN}?{urlencode(asked)}"
    if asked_by_script:
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": where})
    return RedirectResponse(where, 303, HEADERS)


lost = page_router()


@lost.get("/me/{path:path}")
async def nothing_here(request: Request, path: str) -> Response:
    """Whatever no page is at."""
    raise Problem(NOT_FOUND, f"There is no page at {path!r}.")
