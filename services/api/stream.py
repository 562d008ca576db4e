"""`GET /api/user/stream`: new awards as Server-Sent Events, for the page that is open."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.types import Receive, Scope, Send

from services.api import examples
from services.api.auth import Identity
from services.api.reader import Reader
from services.api.routes import identity, parts_of
from services.live.live import Live
from services.live.stream import Stream
from services.pages.visitor import visitor

# A key that is withdrawn, or a user who is signed out everywhere, is seen no later than this.
LONGEST_SECONDS: Final = 3600.0
LONGEST_NUMBER: Final = 40
HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would collect the events
}

router = APIRouter(prefix="/api/user", tags=["live"])


async def reader_of_stream(request: Request) -> Identity:
    """Who asks: by token, or as the pages know them, because a browser sends nothing else with a stream."""
    return await (identity if "authorization" in request.headers else visitor)(request)


class Events(Response):
    """What a stream consists of."""

    media_type = "text/event-stream"


class EventStream(Events):
    """A stream as an answer: until it ends, or the client goes."""

    def __init__(self, live: Live, reader: Reader, who: Identity, after: int | None) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._live, self._reader, self._who, self._after = live, reader, who, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes.

        Raises:  Problem before anything is sent.
        """
        scope["lasting"] = True
        seconds = min(LONGEST_SECONDS, self._who.expires_at - time.time())
        async with self._live.open(self._reader, self._who.user_id, self._after, seconds) as stream:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.create_task(_send(stream, send, only_head=scope.get("head", False)))
            leaving = asyncio.create_task(_gone(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send(stream: Stream, send: Send, *, only_head: bool) -> None:
    if not only_head:
        async for piece in stream.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def number_in(header: str | None) -> int | None:
    """The number of the last event that a client has seen; None for anything that we did not send."""
    return int(header) if header is not None and len(header) < 19 and header.isascii() and header.isdigit() else None


@router.get("/stream", response_class=Events, responses=examples.responses(401, 422, 429, 503))
async def stream(
    request: Request,
    who: Annotated[Identity, Depends(reader_of_stream)],
    after: Annotated[
        str | None, Query(max_length=LONGEST_NUMBER, description="The last id, where the header cannot be set.")
    ] = None,
) -> EventStream:
    """New awards as they come, as Server-Sent Events: `awarded` with what to show, `revoked` with what is gone.

    Go on with `Last-Event-ID` where you were interrupted. Ends with the token, and after an hour at the latest.
    """
    # Browsers send the header after an interruption, and not for a stream that a page opens.
    seen = number_in(request.headers.get("last-event-id") or after)
    return EventStream(request.app.state.live, parts_of(request).reader, who, seen)
