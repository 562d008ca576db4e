"""What reaches PostgreSQL per request, and what clients see while it is away or silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from services.api.gathered import Gathered
from services.api.reader import Reader
from services.settings import Settings
from services.stores.achievements import open_reader
from services.stores.postgres import Connection
from tests.conftest import SECRET
from tests.integration.served import bearer, served

LIST = "/api/user/achievements"
PATHS = [LIST, f"{LIST}?limit=3", f"{LIST}/progress", f"{LIST}/summary", f"{LIST}/owner-i", "/readyz"]


class Wire:
    """A line to PostgreSQL that counts the server's answers and can be cut or fall silent."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0
        self.answers = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def silence(self) -> None:
        self._flows.clear()

    def speak(self) -> None:
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._connect(reader, writer)
        writer.close()
        self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._to)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._forward(reader, server_writer))
                both.create_task(self._answers(server_reader, writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            server_writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        raise asyncio.IncompleteReadError(b"", None)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Message by message: each ReadyForQuery ends one round trip."""
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            await self._flows.wait()
            self.answers += head[:1] == b"Z"
            writer.write(head + body)
            await writer.drain()


@pytest_asyncio.fixture(loop_scope="session")
async def wire(database: str) -> AsyncIterator[Wire]:
    parts = urlsplit(database)
    made = Wire(parts.hostname or "", parts.port or 5432)
    await made.mend()
    yield made
    made.speak()
    await made.cut()


@asynccontextmanager
async def api(database: str, port: int) -> AsyncIterator[httpx.AsyncClient]:
    parts = urlsplit(database)
    login = parts.netloc.rpartition("@")[0]
    url = parts._replace(netloc=f"{login}@127.0.0.1:{port}", query="sslmode=disable").geturl()
    settings = Settings(postgres_url=url, jwt_secret=SECRET)
    async with served(settings, bearer(settings, "alice")) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_one_round_trip_per_request(database: str, wire: Wire, path: str) -> None:
    async with api(database, wire.port) as client:
        # The first request connects and prepares.
        assert (await client.get(path)).status_code == 200
        before = wire.answers
        for _ in range(5):
            assert (await client.get(path)).status_code == 200
        assert wire.answers - before == 5


async def test_who_asks_meanwhile_goes_together(database: str, wire: Wire) -> None:
    async with api(database, wire.port) as client:
        await asyncio.gather(*(client.get(LIST) for _ in range(40)))
        before = wire.answers
        answers = await asyncio.gather(*(client.get(LIST) for _ in range(40)))
        assert [one.status_code for one in answers] == [200] * 40
        assert wire.answers - before < 20


async def test_one_slow_question_holds_nobody_up(database: str) -> None:
    settings = Settings(postgres_url=database, jwt_secret=SECRET)

    async def slow(connection: Connection, seconds: Sequence[float]) -> list[float]:
        await connection.execute("select pg_sleep($1)", max(seconds))
        return list(seconds)

    async with await open_reader(settings.postgres_url, application="test", size=3) as pool:
        gathered = Gathered(Reader(pool), slow)
        slow_one = asyncio.create_task(gathered.ask(2.0))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(1.5):
            assert await asyncio.gather(*(gathered.ask(number / 1000) for number in range(5))) == [
                number / 1000 for number in range(5)
            ]
        assert not slow_one.done()
        assert await slow_one == 2.0


async def test_requests_that_need_no_database(database: str, wire: Wire) -> None:
    async with api(database, wire.port) as client:
        for path in ("/healthz", "/openapi.json", "/docs", "/metrics", "/icons/breadth-gold.svg"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get(LIST, headers={"Authorization": "Bearer x"})).status_code == 401
        assert (await client.get(f"{LIST}?limit=0")).status_code == 422
    assert wire.answers == 0


async def assert_away(client: httpx.AsyncClient) -> None:
    for path in PATHS:
        answer = await client.get(path)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        body = answer.json()
        assert (body["type"], body["status"]) == ("/docs#unavailable", 503)
        assert body["detail"] == "PostgreSQL does not answer."
    assert (await client.get("/healthz")).status_code == 200


async def test_away_and_back(database: str, wire: Wire) -> None:
    async with api(database, wire.port) as client:
        for _ in range(2):
            for path in PATHS:
                assert (await client.get(path)).status_code == 200
            await wire.cut()
            await assert_away(client)
            await wire.mend()
        assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_away_from_the_start(database: str, wire: Wire) -> None:
    await wire.cut()
    async with api(database, wire.port) as client:
        await assert_away(client)
        await wire.mend()
        assert (await client.get(LIST)).status_code == 200


async def test_silent_server_is_not_waited_for(database: str, wire: Wire) -> None:
    async with api(database, wire.port) as client:
        assert (await client.get("/readyz")).status_code == 200
        wire.silence()
        start = time.monotonic()
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["detail"]) == (503, "PostgreSQL does not answer.")
        assert time.monotonic() - start < 4
        wire.speak()
        assert (await client.get("/readyz")).status_code == 200


async def test_database_without_schema(database: str) -> None:
    settings = Settings(postgres_url=urlsplit(database)._replace(path="/postgres").geturl(), jwt_secret=SECRET)
    async with served(settings, bearer(settings, "alice")) as client:
        for path in PATHS:
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["detail"]) == (503, "PostgreSQL is not set up for Gatefold.")
