"""The read API beside a bare route that returns the same bytes, and beside the SQL alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from bench.bare import BADGE, question
from bench.databases import database
from bench.plan import Engines, Scale, Steps
from bench.results import Result
from catalog.index import load_catalog
from services.api.tokens import mint
from services.settings import Settings
from services.stores.achievements import open_reader

RATE_GOAL, ASKING_GOAL, P99_GOAL = 0.6, 1.0, 3.0
CONNECTIONS = 16
AWARDS = {"small": 5, "large": 500}
PATHS = {"list": "", "progress": "/progress", "detail": f"/{BADGE}"}
SECRET = "a-secret-of-the-benches-and-of-nobody"
START = datetime(2024, 1, 1, tzinfo=UTC)
TURNS = 5


class Measured(NamedTuple):
    """Requests a second, and milliseconds at the 99th percentile."""

    rate: float
    p99: float


async def reads(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Requests a second over 16 connections, and the 99th percentile beside that of the statement alone; in turns."""
    results = []
    steps.begin("reads", len(PATHS) * len(AWARDS))
    async with database(engines.postgres) as url:
        await give_awards(url)
        settings = Settings(postgres_url=url, jwt_secret=SECRET)
        async with (
            running_api(url) as api,
            running_api(url, GATEFOLD_API_KEPT_BYTES="0") as forgetful,
            await open_reader(url, application="bench", size=CONNECTIONS, by_key=True) as pool,
        ):
            for user, number in AWARDS.items():
                for name, path in PATHS.items():
                    address = f"/api/user/achievements{path}"
                    headers = {"Authorization": f"Bearer {mint(settings, user)}"}
                    body = (await _once(api, address, headers))[1]
                    async with _bare(body) as bare, _bare(body, url, name, user) as asking:
                        servers = {"ours": api, "bare": bare, "asking": asking, "anew": forgetful}
                        turns: list[dict[str, Measured]] = []
                        for turn in range(TURNS):
                            order = list(servers)[:: -1 if turn % 2 else 1]
                            measured = {one: await load(servers[one], address, headers, scale.reads) for one in order}
                            turns.append(measured | {"sql": await _sql(pool, name, user, scale.reads)})
                    found = _results(f"{name}, {number} awards", turns, len(body))
                    results += found
                    steps.done(", ".join(f"{one.bench} {one.ratio:.2f}" for one in found))
    return results


def _results(what: str, turns: Sequence[Mapping[str, Measured]], size: int) -> list[Result]:
    anew = median(turn["anew"].rate for turn in turns)
    note = f"{size:,} bytes; {anew:,.0f} where no answer is kept"
    return [
        Result(
            f"{what} / bare route",
            "requests/s",
            *_middle((turn["ours"].rate, turn["bare"].rate) for turn in turns),
            ">=",
            RATE_GOAL,
            note,
        ),
        Result(
            f"{what} / bare route that asks",
            "requests/s",
            *_middle((turn["ours"].rate, turn["asking"].rate) for turn in turns),
            ">=",
            ASKING_GOAL,
        ),
        Result(
            f"{what}, p99 / SQL alone",
            "ms",
            *_middle((turn["ours"].p99, turn["sql"].p99) for turn in turns),
            "<=",
            P99_GOAL,
        ),
    ]


def _middle(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The pair with the median of the ratios."""
    ranked = sorted(pairs, key=lambda pair: pair[0] / pair[1])
    return ranked[len(ranked) // 2]


async def give_awards(url: str) -> None:
    """Store the awards of every user of AWARDS."""
    keys = list(load_catalog().badges)
    rows = [
        (user, key, context, uuid4(), START + timedelta(minutes=at), uuid4(), json.dumps({"value": at, "target": 1}))
        for user, count in AWARDS.items()
        for at, (key, context) in enumerate(islice(((k, c) for c in _contexts() for k in keys), count))
    ]
    connection = await asyncpg.connect(url)
    await connection.executemany(
        "insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by,"
        " batch_id, evidence) values ($1, $2, $3, $4, $5, 'auto', 'ownership.added', '{}', $6, $7)",
        rows,
    )
    await connection.execute("insert into collector (user_id, releases) select distinct user_id, 7 from user_badges")
    await connection.execute("vacuum (analyze)")
    await connection.close()


def _contexts() -> AsyncIterator[str] | Any:
    return (f"master:{number}" if number else "" for number in cycle(range(1000)))


@asynccontextmanager
async def _process(arguments: list[str], environment: dict[str, str], url: str) -> AsyncIterator[str]:
    with subprocess.Popen(arguments, env=os.environ | environment, stdout=subprocess.DEVNULL) as child:
        try:
            for _ in range(300):
                try:
                    await _once(url, "/healthz", {})
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            yield url
        finally:
            child.terminate()


def running_api(url: str, **more: str) -> Any:
    """An api process on this database, with more settings; a context that gives its address."""
    from services.stack.ports import free_port

    port = free_port()
    settings = {
        "GATEFOLD_POSTGRES_URL": url,
        "GATEFOLD_JWT_SECRET": SECRET,
        "GATEFOLD_API_RATE_ADDRESS": "",
        "GATEFOLD_API_RATE_USER": "",
        "GATEFOLD_API_PORT": str(port),
        **more,
    }
    return _process([sys.executable, "-m", "services.cli.main", "api"], settings, f"http://127.0.0.1:{port}")


@asynccontextmanager
async def _bare(body: bytes, *asked: str) -> AsyncIterator[str]:
    from services.stack.ports import free_port

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="gatefold-bench-") as scratch:
        file = Path(scratch) / "body"
        file.write_bytes(body)
        command = [sys.executable, "-m", "bench.bare", str(file), str(port), *asked]
        async with _process(command, {}, f"http://127.0.0.1:{port}") as url:
            yield url


async def _once(url: str, path: str, headers: dict[str, str]) -> tuple[float, bytes]:
    split = urlsplit(url)
    reader, writer = await asyncio.open_connection(split.hostname, split.port)
    try:
        return await _ask(reader, writer, _request(path, headers))
    finally:
        writer.close()


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "bench", **headers}.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[float, bytes]:
    """Seconds until the whole answer is there, and its body."""
    begin = time.perf_counter()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    body = await reader.readexactly(length)
    return time.perf_counter() - begin, body


async def load(url: str, path: str, headers: dict[str, str], count: int) -> Measured:
    """So many requests over all connections."""
    split, request = urlsplit(url), _request(path, headers)

    async def client() -> list[float]:
        reader, writer = await asyncio.open_connection(split.hostname, split.port)
        try:
            return [(await _ask(reader, writer, request))[0] for _ in range(count // CONNECTIONS)]
        finally:
            writer.close()

    return await _together(client)


async def _sql(pool: asyncpg.Pool[asyncpg.Record], name: str, user: str, count: int) -> Measured:
    """The statement behind an answer, asked as often at once, by each alone."""
    async with pool.acquire() as connection:
        ask = await question(name, user, connection)

    async def client() -> list[float]:
        times = []
        async with pool.acquire() as connection:
            for _ in range(count // CONNECTIONS):
                begin = time.perf_counter()
                await ask(connection)
                times.append(time.perf_counter() - begin)
        return times

    return await _together(client)


async def _together(client: Callable[[], Awaitable[list[float]]]) -> Measured:
    await client()  # warm
    begin = time.perf_counter()
    times = [one for each in await asyncio.gather(*(client() for _ in range(CONNECTIONS))) for one in each]
    rate = len(times) / (time.perf_counter() - begin)
    return Measured(rate, sorted(times)[int(0.99 * len(times))] * 1000)
