"""The short way to the answers that are read most, past the layers that are there for everything else.

A plain request needs nothing of routing, of dependencies or of a response's life. It meets the same guards, problems
and meters here; whatever is unusual about a request leaves it to the routes, which document and check everything.
"""

from __future__ import annotations

import re
import time
from typing import Final, NamedTuple

from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from services.api.answers import JSON, PRIVATE, Answer
from services.api.guard import HEADERS, address, with_security
from services.api.meters import Meter
from services.api.problems import Problem
from services.api.problems import answer as answer_with
from services.api.rates import Rate
from services.api.routes import LONGEST_PAGE, LONGEST_PROGRESS, PAGE, PROGRESS, Parts, router, unknown

LIST_ROUTE: Final = router.prefix
PROGRESS_ROUTE: Final = f"{LIST_ROUTE}/progress"
DETAIL_ROUTE: Final = f"{LIST_ROUTE}/{{achievement_id}}"
_BADGE: Final = f"{LIST_ROUTE}/"
_LIMIT: Final = re.compile(rb"limit=([1-9][0-9]{0,2})").fullmatch
_BEARER: Final = b"Bearer "
_WITH_BODY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})
_HEADERS: Final = (*((name.lower().encode(), value.encode()) for name, value in PRIVATE.items()), *HEADERS)
_TYPE: Final = (b"content-type", JSON.encode())


class _Plain(NamedTuple):
    """What a plain request asks for; `badge` is the one of DETAIL_ROUTE."""

    route: str
    badge: str
    user_id: str
    limit: int
    if_none_match: str | None


class Express:
    """Answers plain requests for the list, progress and badges, as the routes would."""

    def __init__(self, state: State, rate: Rate, meter: Meter) -> None:
        self._state, self._rate, self._meter = state, rate, meter

    async def answered(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether the request was a plain one, and is answered."""
        if scope["type"] != "http" or not scope["path"].startswith(LIST_ROUTE) or scope["method"] != "GET":
            return False
        parts: Parts = self._state.parts
        plain = _read(scope, parts)
        if plain is None:
            return False
        start = time.perf_counter()
        try:
            self._rate.check(address(scope))
            parts.rate.check(plain.user_id)
            found = await _ask(parts, plain)
        except Problem as problem:
            response = answer_with(problem)
            response.raw_headers = with_security(response.raw_headers)
            await response(scope, receive, send)
            status = response.status_code
        except Exception:
            return False  # our fault: there it happens again, is logged and answered
        else:
            status = await _send(found, plain.if_none_match, send)
        self._meter.record(plain.route, "GET", status, time.perf_counter() - start)
        return True


def _read(scope: Scope, parts: Parts) -> _Plain | None:
    """The request, if it is a plain one: a token that was seen a moment ago, no parameter but a limit, no body."""
    path, query = scope["path"], scope["query_string"]
    badge, limit, longest = "", PAGE, LONGEST_PAGE
    if path == LIST_ROUTE:
        route = LIST_ROUTE
    elif path == PROGRESS_ROUTE:
        route, limit, longest = PROGRESS_ROUTE, PROGRESS, LONGEST_PROGRESS
    else:
        route, badge = DETAIL_ROUTE, path.removeprefix(_BADGE)
        if badge not in parts.view.catalog.badges:
            return None
    if query and ((given := _LIMIT(query)) is None or (limit := int(given[1])) > longest):
        return None
    token, known = None, None
    for name, value in scope["headers"]:
        if name == b"authorization":
            token = value if token is None else token
        elif name == b"if-none-match":
            known = value.decode("latin-1") if known is None else known
        elif name in _WITH_BODY:
            return None
    if scope["root_path"] or token is None or not token.startswith(_BEARER):
        return None
    who = parts.gate.seen(token[len(_BEARER) :].decode("latin-1"))
    return None if who is None else _Plain(route, badge, who.user_id, limit, known)


async def _ask(parts: Parts, plain: _Plain) -> Answer:
    if plain.route is LIST_ROUTE:
        return await parts.reads.page(plain.user_id, plain.limit, None)
    if plain.route is PROGRESS_ROUTE:
        return await parts.reads.progress(plain.user_id, plain.limit)
    found = await parts.reads.detail(plain.user_id, plain.badge, plain.limit, None)
    if found is None:
        raise unknown(plain.badge)
    return found


async def _send(answer: Answer, if_none_match: str | None, send: Send) -> int:
    """Send the answer, or that it is known; the status."""
    tag = (b"etag", answer.tag.encode())
    if answer.known(if_none_match):
        await send({"type": "http.response.start", "status": 304, "headers": [tag, *_HEADERS]})
        await send({"type": "http.response.body", "body": b""})
        return 304
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [tag, length, _TYPE, *_HEADERS]})
    await send({"type": "http.response.body", "body": answer.body})
    return 200
