"""HTTP/1.1 as uvicorn speaks it, with an answer sent in one piece."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MOST_BYTES: Final = 256 * 1024


class Whole(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Head and body of an answer leave together: one system call, one packet, and the client wakes once."""

    transport: Joining

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(Joining(transport, self.loop))

    def on_response_complete(self) -> None:
        self.transport.flush()
        super().on_response_complete()


class Joining:
    """A transport that holds what is written until the answer is complete, or the loop turns."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if data:
            if not self._held:
                self._loop.call_soon(self.flush)
            self._held.append(data)
            self._bytes += len(data)
            if self._bytes > MOST_BYTES:  # a client that does not keep up is to be noticed
                self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held, self._bytes = self._held, [], 0
            if not self._transport.is_closing():
                self._transport.writelines(held)

    def close(self) -> None:
        self.flush()
        self._transport.close()
