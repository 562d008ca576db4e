"""Errors as RFC 9457 problems: every answer that is not what was asked for has type, title, status and detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.api.headers import SECURITY

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem; `slug` names its paragraph on the page /docs."""

    slug: str
    status: HTTPStatus
    title: str
    meaning: str

    @property
    def type(self) -> str:
        return f"/docs#{self.slug}"


UNAUTHORIZED = Kind(
    "unauthorized",
    HTTPStatus.UNAUTHORIZED,
    "No valid token",
    "Send `Authorization: Bearer <JWT>`; detail says what is wrong.",
)
FORBIDDEN = Kind(
    "forbidden", HTTPStatus.FORBIDDEN, "Role missing", "The token is good but lacks the role that is asked."
)
NOT_FOUND = Kind("not-found", HTTPStatus.NOT_FOUND, "Nothing here", "No such address.")
UNKNOWN_ACHIEVEMENT = Kind(
    "unknown-achievement",
    HTTPStatus.NOT_FOUND,
    "Unknown achievement",
    "No badge of this key, or a secret one not earned.",
)
METHOD = Kind("method", HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "The header Allow names those that are.")
INVALID = Kind(
    "invalid-request",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Invalid parameter",
    "errors[] names each parameter and its fault.",
)
CONFLICT = Kind(
    "conflict", HTTPStatus.CONFLICT, "Not possible now", "What is asked does not fit how things stand; detail says why."
)
TOO_LARGE = Kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "Too large",
    "The body of the request is larger than it may be.",
)
TOO_MANY = Kind(
    "too-many-requests",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests",
    "From one address or for one user; try again as Retry-After says.",
)
UNAVAILABLE = Kind(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Not available now",
    "A server we need is away: try again as Retry-After says.",
)
INTERNAL = Kind("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", "Our fault; it was logged.")
KINDS: Final = (
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    UNKNOWN_ACHIEVEMENT,
    METHOD,
    CONFLICT,
    TOO_LARGE,
    INVALID,
    TOO_MANY,
    UNAVAILABLE,
    INTERNAL,
)

_BY_STATUS: Final = {kind.status: kind for kind in KINDS if kind is not UNKNOWN_ACHIEVEMENT}


@dataclass(eq=False)
class Problem(Exception):
    """The request cannot be answered as asked."""

    kind: Kind
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] = ()

    def __post_init__(self) -> None:
        super().__init__(self.detail)


def unavailable(detail: str, *, seconds: int = 2) -> Problem:
    """A server is away; the client may try again after so many seconds."""
    return Problem(UNAVAILABLE, detail, {"Retry-After": str(seconds)})


def invalid(parameter: str, detail: str, where: str = "body") -> Problem:
    """422 for one parameter."""
    fault = {"in": where, "parameter": parameter, "detail": detail}
    return Problem(INVALID, f"{parameter or where}: {detail}", errors=[fault])


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    body: dict[str, Any] = {
        "type": problem.kind.type,
        "title": problem.kind.title,
        "status": int(problem.kind.status),
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return _response(int(problem.kind.status), body, problem.headers)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Exception, _of_anything)


def _response(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None) -> Response:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    kind = _BY_STATUS.get(status)
    headers = dict(error.headers or {})
    match status:
        case HTTPStatus.NOT_FOUND:
            detail = "There is nothing at this address; /docs lists what there is."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            detail = f"{request.method} is not possible here."
            headers["Allow"] = f"{headers.get('Allow', 'GET')}, HEAD"  # the guard makes a GET of it
        case _:
            detail = error.detail
    if kind is not None:
        return answer(Problem(kind, detail, headers))
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return _response(int(status), body, headers)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {
            "in": str(fault["loc"][0]),
            "parameter": ".".join(str(part) for part in fault["loc"][1:]),
            "detail": fault["msg"],
        }
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['parameter']}: {fault['detail']}" for fault in errors)
    return answer(Problem(INVALID, detail, errors=errors))


async def _of_anything(request: Request, error: Exception) -> Response:
    # The server around us logs the error with its traceback. This is answered outside of the guard.
    return answer(Problem(INTERNAL, "Something went wrong here; the log has it.", SECURITY))
