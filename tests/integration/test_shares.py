"""What users share: only theirs, only what stands, only as long as they want; pages, pictures, other sites."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.api.app import create_app
from services.api.models.shares import Shared
from services.api.tokens import mint
from services.settings import Settings
from services.share.names import LONGEST
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log

SHARES = "/api/user/shares"
SECRET = "a-secret-of-the-tests-and-of-nobody-else"
AT = datetime(2024, 5, 21, 10, tzinfo=UTC)
SITE = "https://app.example"
EVIDENCE = {"metric": "label_coverage", "value": 90, "target": 90, "label": "R & S <Records>", "label_id": 1}
EVIDENCE |= {"owned": 703, "total": 885, "percentage": 79.4, "as_of": "2015-01-01"}
# How many wait for a row of somebody else's transaction.
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'"

Share = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return Settings(
        postgres_url=f"{database}?role=gatefold_api",
        postgres_admin_url=f"{database}?role=gatefold_admin",
        jwt_secret=SECRET,
        api_rate_address="",
        api_rate_user="",
        api_rate_share="",
        embed_origins=SITE,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    made = create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gatefold") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def headers(settings: Settings, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(settings, user)}"}


@pytest.fixture
def share(client: httpx.AsyncClient, headers: dict[str, str]) -> Share:
    async def shared(**body: Any) -> dict[str, Any]:
        answer = await client.post(SHARES, headers=headers, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        Shared.model_validate(found)
        return found

    return shared


async def award(
    db: asyncpg.Connection[asyncpg.Record],
    user: str,
    key: str,
    context: str = "",
    evidence: Any = EVIDENCE,
    at: datetime = AT,
) -> None:
    await db.execute(
        "insert into award (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by,"
        " batch_id, evidence) values ($1, $2, $3, $4, $5, 'auto', 'ownership.added', '{}', $4, $6)",
        user, key, context, uuid4(), at, json.dumps(evidence),
    )  # fmt: skip


async def statuses(client: httpx.AsyncClient, token: str) -> list[int]:
    """Of the page, its pictures and what is embedded."""
    paths = [f"/share/{token}{ending}" for ending in ("", ".svg", ".png")]
    paths += [f"/embed/showcase{ending}?share={token}" for ending in ("", ".json", ".html")]
    return [(await client.get(path)).status_code for path in paths]


AWARD, PROFILE, NOTHING = [200] * 3 + [404] * 3, [200] * 6, [404] * 6


async def test_an_award_is_shown_to_whoever_has_the_link(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share
) -> None:
    await award(db, user, "label-loyalist-platinum", "label:1")
    one = await share(badge_key="label-loyalist-platinum", context="label:1", name="Ann")
    assert len(one["token"]) == 24
    assert one["url"] == f"http://gatefold/share/{one['token']}"
    assert await statuses(client, one["token"]) == AWARD
    page = await client.get(f"/share/{one['token']}")
    for said in (
        "Label Loyalist", "R &amp; S &lt;Records&gt;", "703 of 885 releases", "Earned on 21 May 2024", "Ann",
        f'<meta property="og:image" content="{one["url"]}.png">', f'<meta property="og:url" content="{one["url"]}">',
        '<meta property="og:title" content="Label Loyalist Platinum · Ann">',
    ):  # fmt: skip
        assert said in page.text
    assert user not in page.text
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"] == "noindex"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    picture = await client.get(f"/share/{one['token']}.png")
    assert picture.headers["content-type"] == "image/png"
    assert struct.unpack(">II", picture.content[16:24]) == (1200, 630)
    known = {"If-None-Match": picture.headers["etag"]}
    assert (await client.get(f"/share/{one['token']}.png", headers=known)).status_code == 304
    drawing = await client.get(f"/share/{one['token']}.svg")
    assert "R &amp; S &lt;Records&gt;" in drawing.text
    assert user not in drawing.text


async def test_a_profile_shows_the_best_of_it_and_other_sites_may_have_it(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share
) -> None:
    for key in ("genre-tourist-gold", "owner-i", "deep-cut", "style-explorer-silver", "label-hopper-bronze"):
        await award(db, user, key, evidence={"metric": "genres", "value": 20, "target": 20})
    token = (await share(name="Ann", language="de"))["token"]
    assert await statuses(client, token) == PROFILE
    assert "5 Abzeichen in 5 Familien" in (await client.get(f"/share/{token}")).text
    read = await client.get(f"/embed/showcase.json?share={token}", headers={"Origin": SITE})
    body = read.json()
    assert (body["name"], body["total"], len(body["badges"])) == ("Ann", "5 Abzeichen in 5 Familien", 4)
    assert body["badges"][0]["icon"].startswith("http://gatefold/badges/")
    assert (await client.get(body["badges"][0]["icon"])).headers["cache-control"].endswith("immutable")
    assert read.headers["access-control-allow-origin"] == SITE
    assert read.headers["vary"].startswith("Origin")
    for other in ({}, {"Origin": "https://other.example"}, {"Origin": "null"}):
        answer = await client.get(f"/embed/showcase?share={token}", headers=other)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.text.startswith("<section ")
        assert not {"<script", "<style", "style="} & set(answer.text.split())
        assert user not in answer.text
    frame = await client.get(f"/embed/showcase.html?share={token}")
    assert f"frame-ancestors {SITE}" in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers


async def test_nobody_may_frame_or_read_it_where_no_site_is_set(
    settings: Settings, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share
) -> None:
    await award(db, user, "owner-i")
    token = (await share())["token"]
    closed = create_app(settings.model_copy(update={"embed_origins": "", "api_rate_share": "3/minute"}))
    transport = httpx.ASGITransport(app=closed)
    async with (
        closed.router.lifespan_context(closed),
        httpx.AsyncClient(transport=transport, base_url="http://gatefold") as web,
    ):
        frame = await web.get(f"/embed/showcase.html?share={token}", headers={"Origin": SITE})
        assert "frame-ancestors 'none'" in frame.headers["content-security-policy"]
        assert frame.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in frame.headers
        answers = [await web.get(f"/share/{guess}") for guess in ("a" * 24, token, "b" * 24)]
        assert [answer.status_code for answer in answers] == [404, 200, 429]
        assert int(answers[2].headers["retry-after"]) >= 1


async def test_taking_it_back_and_sharing_it_again(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share, headers: dict[str, str],
    settings: Settings,
) -> None:  # fmt: skip
    await award(db, user, "deep-cut")
    first = await share(badge_key="deep-cut", name="Ann")
    again = await share(badge_key="deep-cut", name="Bea")
    assert (again["token"], again["name"]) == (first["token"], "Bea")
    assert (await client.get(SHARES, headers=headers)).json() == {"shares": [again]}
    thief = {"Authorization": f"Bearer {mint(settings, user + 'x')}"}
    assert (await client.delete(f"{SHARES}/{first['token']}", headers=thief)).status_code == 404
    assert await statuses(client, first["token"]) == AWARD
    assert (await client.delete(f"{SHARES}/{first['token']}", headers=headers)).status_code == 204
    assert (await client.delete(f"{SHARES}/{first['token']}", headers=headers)).status_code == 404
    assert await statuses(client, first["token"]) == NOTHING
    assert "This groove is empty" in (await client.get(f"/share/{first['token']}")).text
    assert (await share(badge_key="deep-cut"))["token"] != first["token"]


@pytest.mark.parametrize(
    "change", ["revoked_at = now()", "hidden = true", "shadow = true", "badge_key = 'of-an-older-catalog'"]
)
async def test_what_does_not_stand_is_not_shown(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share, change: str,
    headers: dict[str, str],
) -> None:  # fmt: skip
    await award(db, user, "deep-cut")
    one, profile = await share(badge_key="deep-cut"), await share()
    await db.execute(f"update award set {change} where user_id = $1", user)  # noqa: S608
    assert await statuses(client, one["token"]) == NOTHING
    assert await statuses(client, profile["token"]) == NOTHING
    if "badge_key" not in change:
        assert (await client.post(SHARES, headers=headers, json={})).status_code == 404
    assert (await client.post(SHARES, headers=headers, json={"badge_key": "deep-cut"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"badge_key": "deep-cut"}, 404),
        ({"badge_key": "owner-i", "context": "x"}, 404),
        ({"badge_key": "owner-i", "context": "\0"}, 404),
        ({"badge_key": "none"}, 404),
        ({"name": "x" * (LONGEST + 1)}, 422),
        ({"name": 1}, 422),
        ({"language": "fr"}, 422),
        ({"user_id": "somebody"}, 422),
    ],
)
async def test_what_cannot_be_shared(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str],
    body: dict[str, Any], status: int,
) -> None:  # fmt: skip
    await award(db, user, "owner-i")
    await award(db, f"{user}x", "deep-cut")
    assert (await client.post(SHARES, headers=headers, json=body)).status_code == status
    assert (await client.post(SHARES, json=body)).status_code == 401


@pytest.mark.parametrize("token", ["x", "a" * 24, "é" * 24, "%00" * 24, "a" * 23 + "'", "..%2f" * 6])
async def test_links_that_lead_nowhere(client: httpx.AsyncClient, token: str) -> None:
    assert await statuses(client, token) == NOTHING


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("W" * LONGEST, "W" * LONGEST),
        ("\u202eevil\u202c\0 \x07name\n", "evil name"),
        ("שלום עולם", "שלום עולם"),
        ("👩‍👩‍👧 東京 한국어", "👩‍👩‍👧 東京 한국어"),
        ("  ", ""),
    ],
)
async def test_any_name_is_shown_safely(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share, name: str, kept: str
) -> None:
    await award(db, user, "owner-i")
    one = await share(badge_key="owner-i", name=name)
    assert one["name"] == kept
    assert await statuses(client, one["token"]) == AWARD
    page = await client.get(f"/share/{one['token']}")
    assert "<script>alert" not in page.text
    assert "<script>alert" not in (await client.get(f"/share/{one['token']}.svg")).text


async def test_a_card_is_drawn_once(
    app: FastAPI, client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share
) -> None:
    await award(db, user, "owner-i")
    tokens = [(await share(badge_key="owner-i", name="Once"))["token"], (await share(name="Once"))["token"]]
    before = app.state.pictures.drawn
    answers = await asyncio.gather(*(client.get(f"/share/{token}.png") for token in tokens * 3))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert app.state.pictures.drawn == before + 2


async def test_what_a_deletion_takes_is_not_shared_meanwhile(
    database: str,
    client: httpx.AsyncClient,
    db: asyncpg.Connection[asyncpg.Record],
    user: str,
    headers: dict[str, str],
) -> None:
    await award(db, user, "owner-i")
    deleting = await asyncpg.connect(database)
    try:
        async with deleting.transaction():
            await deleting.execute("delete from award where user_id = $1", user)
            posts = [
                asyncio.create_task(client.post(SHARES, headers=headers, json=body))
                for body in ({}, {"badge_key": "owner-i"})
            ]
            async with asyncio.timeout(4):
                while await db.fetchval(WAITING) < len(posts):  # noqa: ASYNC110 - PostgreSQL tells nobody
                    await asyncio.sleep(0.01)
        assert [(await post).status_code for post in posts] == [404, 404]
        assert await db.fetchval("select count(*) from share where user_id = $1", user) == 0
    finally:
        await deleting.close()


async def test_a_deleted_user_shares_nothing(database: str, client: httpx.AsyncClient, settings: Settings) -> None:
    connection = await lab.worker_connection(database)
    try:
        await lab.clear(connection)
        log, known = Log(), lab.knowledge()
        log.append(added("a", (1, {"id": 5})))
        await lab.drain(connection, known, log)
        mine = {"Authorization": f"Bearer {mint(settings, 'ada')}"}
        tokens = [
            (await client.post(SHARES, headers=mine, json=body)).json()["token"]
            for body in ({"badge_key": "owner-i"}, {})
        ]
        assert [await statuses(client, token) for token in tokens] == [AWARD, PROFILE]
        log.append(event("user.deleted", "gone", {}, time=minutes(60)))
        await lab.drain(connection, known, log)
        assert await connection.fetchval("select count(*) from share where user_id = 'ada'") == 0
        assert [await statuses(client, token) for token in tokens] == [NOTHING, NOTHING]
    finally:
        await connection.close()
