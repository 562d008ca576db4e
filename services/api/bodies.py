"""Bodies of requests: read once, within bounds, by the decoder that reads events."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from contracts import document
from contracts.hot import HotDecoder, Mismatch, NotJson
from services.api.guard import BODY_SECONDS, EVENT_BYTES, too_large
from services.api.problems import invalid


async def raw_body(request: Request) -> bytes:
    """The body as it came; the guard has seen to its size.

    Raises:  TimeoutError where it comes too slowly, ClientDisconnect where it ends too early.
    """
    async with asyncio.timeout(BODY_SECONDS):
        return await request.body()


async def body_of(request: Request, decoder: HotDecoder) -> Any:
    """The body as the decoder reads it.

    Raises:  Problem 413 where it comes too slowly, 422 naming what is wrong in it.
    """
    try:
        raw = await raw_body(request)
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
