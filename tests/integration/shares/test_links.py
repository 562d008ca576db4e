"""What whoever has the link is shown: pages, pictures, other sites; and where links lead nowhere."""

from __future__ import annotations

import asyncio
import struct

import asyncpg
import httpx
import pytest

from services.api.app import create_app
from services.settings import Settings
from services.share.names import LONGEST
from tests.integration.awards import award
from tests.integration.served import asking, served
from tests.integration.shares.world import AT, AWARD, EVIDENCE, NOTHING, PROFILE, SITE, Share, statuses


async def test_an_award_is_shown_to_whoever_has_the_link(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share
) -> None:
    await award(db, user, "label-loyalist-platinum", "label:1", AT, EVIDENCE)
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
    closed = settings.model_copy(update={"embed_origins": "", "api_rate_share": "3/minute"})
    async with served(closed) as client:
        frame = await client.get(f"/embed/showcase.html?share={token}", headers={"Origin": SITE})
        assert "frame-ancestors 'none'" in frame.headers["content-security-policy"]
        assert frame.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in frame.headers
        answers = [await client.get(f"/share/{guess}") for guess in ("a" * 24, token, "b" * 24)]
        assert [answer.status_code for answer in answers] == [404, 200, 429]
        assert int(answers[2].headers["retry-after"]) >= 1


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
    settings: Settings, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share
) -> None:
    await award(db, user, "owner-i")
    tokens = [(await share(badge_key="owner-i", name="Once"))["token"], (await share(name="Once"))["token"]]
    app = create_app(settings)
    async with asking(app) as client:
        answers = await asyncio.gather(*(client.get(f"/share/{token}.png") for token in tokens * 3))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert app.state.pictures.drawn == 2
