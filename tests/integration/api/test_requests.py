"""Caching and refusals, of every endpoint of a user."""

from __future__ import annotations

import asyncpg
import httpx
import pytest

from tests.integration.api.world import LIST, PROGRESS, SUMMARY
from tests.integration.awards import award
from tests.integration.served import problem


@pytest.mark.parametrize("path", [LIST, PROGRESS, SUMMARY, f"{LIST}/owner-i"])
async def test_etag(
    client: httpx.AsyncClient,
    db: asyncpg.Connection[asyncpg.Record],
    user: str,
    headers: dict[str, str],
    path: str,
) -> None:
    await db.execute("insert into collector (user_id, releases) values ($1, 1)", user)
    first = await client.get(path, headers=headers)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Authorization"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get(path, headers=headers | {"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, no-cache"
    assert (await client.get(path, headers=headers | {"If-None-Match": '"other"'})).status_code == 200
    await award(db, user, "owner-i")
    changed = await client.get(path, headers=headers | {"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (f"{LIST}?limit=0", "limit"),
        (f"{LIST}?limit=501", "limit"),
        (f"{LIST}?limit=many", "limit"),
        (f"{LIST}?limit=", "limit"),
        (f"{LIST}?limit=1e3", "limit"),
        (f"{LIST}?limit=99999999999999999999", "limit"),
        (f"{LIST}?cursor=", "cursor"),
        (f"{LIST}?cursor=abc", "cursor"),
        (f"{LIST}?cursor={'A' * 513}", "cursor"),
        (f"{PROGRESS}?limit=0", "limit"),
        (f"{PROGRESS}?limit=101", "limit"),
        (f"{LIST}/owner-i?limit=-1", "limit"),
        (f"{LIST}/owner-i?cursor=W10", "cursor"),
    ],
)
async def test_bad_parameter(client: httpx.AsyncClient, headers: dict[str, str], path: str, parameter: str) -> None:
    body = problem(await client.get(path, headers=headers), 422)
    assert body["type"] == "/docs#invalid-request"
    assert [(fault["in"], fault["parameter"]) for fault in body["errors"]] == [("query", parameter)]
    assert body["detail"].startswith(f"{parameter}: ")
