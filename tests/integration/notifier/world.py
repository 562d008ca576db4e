"""A receiver of webhooks, and notifiers that run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from services.notifier.webhook import is_genuine
from tests.e2e.processes import Crew, Process, until

SECRET = "a-secret-that-the-receiver-knows-as-well"
AT = "2026-03-01T12:00:00Z"
Award = Callable[..., Awaitable[list[str]]]


class Receiver:
    """A receiver of webhooks: keeps what it is sent, and answers what it is told to, 200 when nothing is left."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: list[bytes] = []  # status line and headers; empty: none at all
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self._came = asyncio.Condition()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?team=notifications"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def leave(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def of(self, user: str, number: int = 1, seconds: float = 30) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """What was sent of a user, once there is so much of it."""
        async with asyncio.timeout(seconds), self._came:
            await self._came.wait_for(lambda: len(self._of(user)) >= number)
        return self._of(user)

    def _of(self, user: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        return [one for one in self.got if one[1]["user_id"] == user]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                lines = head.split("\r\n")
                assert lines[0] == "POST /hooks?team=notifications HTTP/1.1"
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                assert is_genuine(SECRET.encode(), headers, body, time.time())
                answer = self.answers.pop(0) if self.answers else b"200 OK"
                async with self._came:
                    self.got.append((headers, json.loads(body)))
                    self._came.notify_all()
                if not answer:
                    await reader.read()  # until the other side gives up, or is gone
                    return
                writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()


def started(crew: Crew, **settings: str) -> Process:
    """A notifier that reads."""
    process = crew.start("notifier", **settings)
    until(lambda: process.get("/readyz")[0] == 200, f"{process.name} is ready")
    return process


@asynccontextmanager
async def notifying(crew: Crew, **settings: str) -> AsyncIterator[Process]:
    process = await asyncio.to_thread(started, crew, **settings)
    try:
        yield process
    finally:
        if process.code is None:
            assert await asyncio.to_thread(process.terminate) == 0
