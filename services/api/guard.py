"""The layer around all requests that keeps out what is too much, and sends the headers that browsers want."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import TOO_LARGE, Problem, answer
from services.api.rates import Rate

BODY_BYTES: Final = 65_536
# Who looks after the service must always be able to.
UNLIMITED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# Without Strict-Transport-Security: whoever ends TLS in front of us knows whether the whole host has it.
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-site"),
)
POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Guard:
    """Limits requests by address and by size."""

    def __init__(self, app: ASGIApp, rate: Rate) -> None:
        self._app, self._rate = app, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                own_policy = any(name == POLICY[0] for name, _ in headers)
                message["headers"] = [*headers, *HEADERS] if own_policy else [*headers, *HEADERS, POLICY]
            await send(message)

        try:
            if scope["path"] not in UNLIMITED:
                client = scope.get("client")
                self._rate.check(network(client[0]) if client else "unknown")
            limited = _limited(Headers(scope=scope), receive)
        except Problem as problem:
            await answer(problem)(scope, receive, send_guarded)
            return
        await self._app(scope, limited, send_guarded)


def network(address: str) -> str:
    """What counts as one address: of IPv6 the 64 bits that a customer is given."""
    if ":" not in address:
        return address
    head, gap, tail = address.partition("::")
    groups = head.split(":") if head else []
    if gap:
        rest = tail.split(":") if tail else []
        groups += ["0"] * (8 - len(groups) - len(rest)) + rest
    return ":".join(groups[:4])


def _limited(headers: Headers, receive: Receive) -> Receive:
    """What the app may read of the body.

    Raises:  Problem 413 where the request says that it is too large.
    """
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return receive
    if length is not None and length.isdecimal() and int(length) > BODY_BYTES:
        raise Problem(TOO_LARGE, f"A body has at most {BODY_BYTES} bytes here.", {"Connection": "close"})
    left = BODY_BYTES

    async def receive_limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(TOO_LARGE.status, f"A body has at most {BODY_BYTES} bytes here.")
        return message

    return receive_limited
