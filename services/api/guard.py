"""The layer around all requests that keeps out what is too much, and sends the headers that browsers want."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.envelope import MAX_VALUE_BYTES
from services.api.headers import SECURITY
from services.api.problems import TOO_LARGE, Problem, answer
from services.api.rates import Rate

BODY_BYTES: Final = 65_536
# What takes events takes as much as an event may have.
EVENT_BYTES: Final = MAX_VALUE_BYTES
ROOMY: Final = frozenset({"/api/user/achievements/what-if", "/api/admin/dry-run", "/api/admin/simulate"})
BODY_SECONDS: Final = 5.0
# Who looks after the service must always be able to.
UNLIMITED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
HEADERS: Final = tuple((name.encode(), value.encode()) for name, value in SECURITY.items())


class Guard:
    """Limits requests by address and by size; answers HEAD wherever there is a GET."""

    def __init__(self, app: ASGIApp, rate: Rate) -> None:
        self._app, self._rate = app, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_security(message["headers"])
            await send(message)

        try:
            if scope["path"] not in UNLIMITED:
                self._rate.check(address(scope))
            receive = await _limited(scope, receive)
        except Problem as problem:
            await answer(problem)(scope, receive, send_guarded)
            return
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send_guarded)
            return
        # The routes know GET. The server around us sees HEAD in its own scope and leaves the body out.
        asked = {**scope, "method": "GET", "head": True}
        try:
            await self._app(asked, receive, send_guarded)
        finally:
            scope["route"] = asked.get("route")


def with_security(headers: Collection[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with those of security that they do not name; one that a route leaves empty is not sent at all."""
    said = {name for name, _ in headers}
    return [pair for pair in (*headers, *(pair for pair in HEADERS if pair[0] not in said)) if pair[1]]


def address(scope: Scope) -> str:
    """Whose requests count together."""
    client = scope.get("client")
    return network(client[0]) if client else "unknown"


def network(address: str) -> str:
    """What counts as one address: of IPv6 the 64 bits that a customer is given."""
    if "." in address:
        return address.rpartition(":")[2]  # also IPv4 as a socket for both writes it
    head, gap, tail = address.partition("::")
    groups = head.split(":") if head else []
    if gap:
        rest = tail.split(":") if tail else []
        groups += ["0"] * (8 - len(groups) - len(rest)) + rest
    return ":".join(groups[:4])


async def _limited(scope: Scope, receive: Receive) -> Receive:
    """What the app may read of the body.

    Raises:  Problem 413 where the body is too large, or comes too slowly to tell.
    """
    most = EVENT_BYTES if scope["path"] in ROOMY else BODY_BYTES
    for name, value in scope["headers"]:
        if name == b"content-length" and not (len(value) < 10 and value.isdigit() and int(value) <= most):
            raise too_large(most)
        if name == b"transfer-encoding":
            # Few routes of ours ask for it, and the server would go on reading it after the answer, without an end.
            return await _read(receive, most)
    return receive


async def _read(receive: Receive, most: int) -> Receive:
    pieces, left = [], most
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                pieces.append(message.get("body", b""))
                left -= len(pieces[-1])
                if left < 0:
                    raise too_large(most)
                more = message.get("more_body", False)
    except TimeoutError:
        raise too_large(most) from None
    whole: list[Message] = [{"type": "http.request", "body": b"".join(pieces), "more_body": False}]

    async def receive_again() -> Message:
        return whole.pop() if whole else await receive()

    return receive_again


def too_large(most: int) -> Problem:
    """A body that is larger than it may be, or comes too slowly to tell."""
    return Problem(TOO_LARGE, f"A body has at most {most} bytes here, and {BODY_SECONDS:g} s.", {"Connection": "close"})
