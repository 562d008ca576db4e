"""Who may ask: tokens, the keys they are checked with, admins."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.api.keys import FETCH_BYTES, secret_key
from services.settings import Settings
from tests.conftest import SECRET
from tests.integration.api.world import LIST, PROGRESS, SUMMARY
from tests.integration.served import bearer, problem, served


@pytest_asyncio.fixture(loop_scope="session")
async def key_server() -> AsyncIterator[tuple[str, dict[str, bytes]]]:
    """An address and what it serves, by path."""
    files: dict[str, bytes] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if path == "/silence":
            await reader.read()
        body = files.get(path)
        status = b"404 Not Found" if body is None else b"200 OK"
        writer.write(b"HTTP/1.0 " + status + b"\r\n\r\n" + (body or b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", files


async def test_key_set_at_an_address(database: str, key_server: tuple[str, dict[str, bytes]]) -> None:
    url, files = key_server
    key = RSAKey.generate_key(2048)
    claims = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
    headers = {"Authorization": f"Bearer {token}"}

    async def ask(path: str) -> httpx.Response:
        async with served(Settings(postgres_url=database, jwt_jwks_url=url + path), headers) as client:
            return await client.get(SUMMARY)

    files["/keys"] = json.dumps({"keys": [{**key.as_dict(private=False), "kid": "one"}]}).encode()
    files["/others"] = json.dumps({"keys": [{**key.as_dict(private=False), "kid": "two"}]}).encode()
    files["/long"] = files["/keys"] + b" " * FETCH_BYTES
    files["/rubbish"] = b"<html>"
    assert (await ask("/keys")).status_code == 200
    assert problem(await ask("/others"), 401)["detail"] == "The token is signed with a key that is not known."
    for path in ("/long", "/rubbish", "/nothing", "/silence"):
        async with asyncio.timeout(5):
            answer = await ask(path)
        assert problem(answer, 503)["detail"] == "The keys that tokens are checked with cannot be read."
        assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize("path", [LIST, PROGRESS, SUMMARY, f"{LIST}/owner-i", f"{LIST}?limit=0", "/api/admin/x"])
@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic YTpi"])
async def test_without_a_good_token(client: httpx.AsyncClient, path: str, authorization: str | None) -> None:
    answer = await client.get(path, headers={"Authorization": authorization} if authorization else {})
    assert problem(answer, 401)["type"] == "/docs#unauthorized"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="gatefold"')


async def test_expired_token(client: httpx.AsyncClient) -> None:
    claims = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) - 1}
    expired = jwt.encode({"alg": "HS256"}, claims, secret_key(SECRET))
    answer = await client.get(LIST, headers={"Authorization": f"Bearer {expired}"})
    assert problem(answer, 401)["detail"] == "The token has expired."


@pytest.mark.parametrize("path", ["/api/admin", "/api/admin/", "/api/admin/badges/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_admin(
    client: httpx.AsyncClient, settings: Settings, headers: dict[str, str], path: str, method: str
) -> None:
    body = problem(await client.request(method, path, headers=headers), 403)
    assert body["detail"] == "This needs a token with the role 'admin'."
    chief = bearer(settings, "chief", "admin")
    assert problem(await client.request(method, path, headers=chief), 404)["type"] == "/docs#not-found"
