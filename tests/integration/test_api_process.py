"""`gatefold api` and `gatefold token` as processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.conftest import SECRET

COMMAND = (sys.executable, "-m", "services.cli.main")


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEFOLD_")}
    return kept | {f"GATEFOLD_{name.upper()}": value for name, value in settings.items()}


async def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, errors = await process.communicate()
    return process.returncode or 0, out.decode(), errors.decode()


@asynccontextmanager
async def running(**settings: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process `gatefold api` on a free port, and its address."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("api", "--port", "0", "--json"),
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield process, json.loads(line)["url"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_token_opens_the_api(database: str) -> None:
    code, token, _ = await run("token", "alice", jwt_secret=SECRET)
    assert code == 0
    _, printed, _ = await run("token", "chief", "--role", "admin", "--hours", "1", "--json", jwt_secret=SECRET)
    chief = json.loads(printed)
    assert (chief["user"], chief["hours"]) == ("chief", 1.0)
    async with (
        running(postgres_url=database, jwt_secret=SECRET) as (process, url),
        httpx.AsyncClient(base_url=url) as web,
    ):
        assert (await web.get("/readyz")).json()["status"] == "ready"
        mine = await web.get("/api/user/achievements", headers={"Authorization": f"Bearer {token.strip()}"})
        assert mine.json()["stats"]["total_earned"] == 0
        assert "server" not in mine.headers
        for sent, status in ((token.strip(), 403), (chief["token"], 404)):
            assert (await web.get("/api/admin/x", headers={"Authorization": f"Bearer {sent}"})).status_code == status
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_an_answer_comes_in_one_piece(database: str) -> None:
    async with running(postgres_url=database, jwt_secret=SECRET) as (_, url):
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as line:
            for _ in range(3):
                await asyncio.to_thread(line.sendall, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await asyncio.to_thread(line.recv, 65536)).endswith(b'\r\n\r\n{"status":"ok"}')


async def test_a_stream_begins_though_it_has_no_end(database: str) -> None:
    _, token, _ = await run("token", "alice", jwt_secret=SECRET)
    headers = {"Authorization": f"Bearer {token.strip()}"}
    async with (
        running(postgres_url=database, jwt_secret=SECRET, kafka_url="127.0.0.1:1") as (_, url),
        httpx.AsyncClient(base_url=url, timeout=10) as web,
        web.stream("GET", "/api/user/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert "event: hello" in await anext(answer.aiter_text())


async def test_open_connection_does_not_hold_it_up(database: str) -> None:
    async with running(postgres_url=database, jwt_secret=SECRET) as (process, url):
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        writer.close()


async def test_who_asks_behind_a_proxy(database: str) -> None:
    """X-Forwarded-For counts where the proxy is trusted, and is anybody's word where it is not."""
    for proxies, statuses in (("127.0.0.1", [200, 200, 429, 200]), ("192.0.2.1", [200, 200, 429, 429])):
        strict = {"api_rate_address": "2/hour", "api_proxies": proxies}
        async with (
            running(postgres_url=database, jwt_secret=SECRET, **strict) as (_, url),
            httpx.AsyncClient(base_url=url) as web,
        ):
            sent = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in (1, 1, 1, 2)]
            assert [(await web.get("/docs", headers=headers)).status_code for headers in sent] == statuses


async def test_head_and_a_flood_over_the_wire(database: str) -> None:
    """What only the server around the app can do: leave out the body of a HEAD, and hang up."""
    async with running(postgres_url=database, jwt_secret=SECRET) as (_, url), httpx.AsyncClient(base_url=url) as web:
        head, get = await web.head("/docs"), await web.get("/docs")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == get.headers["etag"]
        assert head.headers["content-length"] == str(len(get.content))
        assert 'method="HEAD",route="/docs",status="2xx"' in (await web.get("/metrics")).text
        host, _, port = url.removeprefix("http://").partition(":")
        for size in (b"Transfer-Encoding: chunked", b"Content-Length: 99999999"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /docs HTTP/1.1\r\nHost: x\r\n" + size + b"\r\n\r\n")
            if b"chunked" in size:
                writer.write((b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3)
            async with asyncio.timeout(3):
                assert (await reader.readline()).startswith(b"HTTP/1.1 413")
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()  # to the end: the connection is closed
            writer.close()


async def test_api_starts_without_postgresql() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = f"postgresql://nobody@127.0.0.1:{port}/none"
    async with running(postgres_url=away, jwt_secret=SECRET) as (_, url), httpx.AsyncClient(base_url=url) as web:
        assert (await web.get("/healthz")).status_code == 200
        answer = await web.get("/readyz")
        assert (answer.status_code, answer.json()["detail"]) == (503, "PostgreSQL does not answer.")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "set GATEFOLD_JWT_SECRET"),
        ({"jwt_secret": "short"}, "32 bytes or more"),
        ({"jwt_public_key": "no key"}, "GATEFOLD_JWT_PUBLIC_KEY"),
        ({"jwt_secret": SECRET, "api_port": "x"}, "GATEFOLD_API_PORT"),
        ({"jwt_secret": SECRET, "log_level": "LOUD"}, "GATEFOLD_LOG_LEVEL"),
    ],
)
async def test_api_refuses_settings_that_cannot_work(settings: dict[str, str], said: str) -> None:
    code, out, errors = await run("api", "--port", "0", **({"api_port": "0"} | settings))
    assert (code, out) == (2, "")
    assert said in errors
    assert "Traceback" not in errors


async def test_api_whose_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, _, errors = await run("api", "--port", port, jwt_secret=SECRET)
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in errors


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["alice"], {}, "set GATEFOLD_JWT_SECRET"),
        (["alice"], {"jwt_secret": "short"}, "32 bytes or more"),
        (["al ice"], {"jwt_secret": SECRET}, "is not a user id"),
        (["alice", "--hours", "0"], {"jwt_secret": SECRET}, "hours"),
        ([], {"jwt_secret": SECRET}, "USER"),
    ],
)
async def test_token_refuses(arguments: list[str], settings: dict[str, str], said: str) -> None:
    code, out, errors = await run("token", *arguments, **settings)
    assert (code, out) == (2, "")
    assert said in errors
