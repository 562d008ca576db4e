"""Bodies of requests: read once, within bounds, by the decoder that reads events."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from contracts import document
from contracts.hot import HotDecoder, Mismatch, NotJson
from services.api.guard import BODY_SECONDS, EVENT_BYTES, too_large
from services.api.problems import INVALID, Problem


async def body_of(request: Request, decoder: HotDecoder) -> Any:
    """The body as the decoder reads it; the guard has seen to its size.

    Raises:  Problem 413 where it comes too slowly, 422 naming what is wrong in it.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.body()
    except TimeoutError:
        raise too_large(EVENT_BYTES) from None
    except ClientDisconnect:
        raise invalid("", "ended too early") from None
    if fault := document.fault(raw):
        raise invalid("", fault)
    try:
        return decoder.decode(raw)
    except NotJson as error:
        raise invalid("", str(error)) from None
    except Mismatch as error:
        raise invalid(error.path.lstrip("."), error.fault) from None


def invalid(parameter: str, detail: str, where: str = "body") -> Problem:
    """422 for one parameter."""
    fault = {"in": where, "parameter": parameter, "detail": detail}
    return Problem(INVALID, f"{parameter or where}: {detail}", errors=[fault])
