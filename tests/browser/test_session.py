"""Signing in and out, and what a page does for somebody it does not know."""

from __future__ import annotations

import httpx
import pytest
from joserfc import jwt

from services.api.keys import secret_key
from services.api.tokens import mint
from services.settings import Settings
from tests.browser.conftest import SignIn
from tests.conftest import SECRET
from tests.integration.served import served


async def test_signing_in_leads_to_the_page_that_was_wanted_and_out_again(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me?lang=de")
    assert await page.title() == "Deine Abzeichen · Gatefold"
    (cookie,) = [one for one in await page.context.cookies() if one["name"] == "__Host-gatefold"]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["expires"]) == (True, True, "Lax", -1)
    await page.get_by_role("button", name="Abmelden").click()
    await page.wait_for_url("**/session?why=left")
    assert await page.get_by_role("status").inner_text() == "Du bist abgemeldet."
    await page.goto("/me")
    assert "/session?next=%2Fme" in page.url


async def test_an_expired_session_leads_back_to_the_page(sign_in: SignIn, site: str, settings: Settings) -> None:
    page = await sign_in(None, "/session")
    claims = {"sub": "ann", "aud": "gatefold", "iss": "gatefold", "exp": 1_700_000_000}
    expired = jwt.encode({"alg": "HS256"}, claims, secret_key(SECRET))
    https = site.replace("http:", "https:")  # by hand a cookie of that name can be set so alone
    await page.context.add_cookies([{"name": "__Host-gatefold", "value": expired, "url": https, "secure": True}])
    await page.goto("/me?category=graph")
    assert "session has ended" in await page.get_by_role("status").inner_text()
    await page.fill("#token", expired)
    await page.get_by_role("button", name="Show my badges").click()
    assert "does not open anything" in await page.get_by_role("alert").inner_text()
    await page.fill("#token", mint(settings, "ann"))
    await page.get_by_role("button", name="Show my badges").click()
    await page.wait_for_url("**/me?category=graph")


@pytest.mark.parametrize(
    "next_", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/docs"]
)
async def test_signing_in_leads_nowhere_else(site: str, settings: Settings, next_: str) -> None:
    async with httpx.AsyncClient(base_url=site, headers={"Origin": site}) as client:
        answer = await client.post("/session", data={"token": mint(settings, "ann"), "next": next_})
        assert (answer.status_code, answer.headers["location"]) == (303, "/me")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://other.gatefold.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/session", "/session/end"])
async def test_forms_from_elsewhere_are_refused(
    site: str, settings: Settings, path: str, headers: dict[str, str], status: int
) -> None:
    async with httpx.AsyncClient(base_url=site, headers=headers) as client:
        answer = await client.post(path, data={"token": mint(settings, "ann")})
    assert answer.status_code == status
    assert ("set-cookie" in answer.headers) == (status == 303)


async def test_the_cookie_opens_the_pages_and_the_header_the_api(site: str, settings: Settings) -> None:
    token = mint(settings, "ann")
    async with httpx.AsyncClient(base_url=site) as client:
        by_cookie, by_header = {"Cookie": f"__Host-gatefold={token}"}, {"Authorization": f"Bearer {token}"}
        for path in ("/me", "/me/nowhere"):
            assert (await client.get(path, headers=by_cookie)).status_code == (200 if path == "/me" else 404)
        assert (await client.get("/me", headers=by_header)).status_code == 303
        assert (await client.get("/api/user/achievements/summary", headers=by_cookie)).status_code == 401


async def test_files_are_kept_for_ever_and_pages_are_not(site: str) -> None:
    async with httpx.AsyncClient(base_url=site) as client:
        page = await client.get("/session")
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe-inline" not in page.headers["content-security-policy"]
        address = page.text.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
        file = await client.get(address)
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert file.headers["content-encoding"] == "gzip"
        assert (await client.get(address, headers={"Accept-Encoding": "identity"})).text == file.text
        for wrong in ("/static/page.0000.css", "/static/pico.css", "/static/x", "/static/..%2Frender.py"):
            assert (await client.get(wrong)).status_code == 404


async def test_other_sites_and_plain_http_by_setting(settings: Settings) -> None:
    options = settings.model_copy(
        update={"pages_origins": "https://app.example, https://b.example", "pages_secure": False}
    )
    form, theirs = {"token": mint(options, "ann")}, {"Origin": "https://b.example", "Sec-Fetch-Site": "cross-site"}
    async with served(options, theirs) as client:
        answer = await client.post("/session", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/me")
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert (await client.get("/me")).status_code == 200
        for path in ("/session/end", "/me/pins"):  # only to sign in
            assert (await client.post(path, data={"key": "x"})).status_code == 403
        assert (await client.post("/session", data=form, headers={"Origin": "https://c.example"})).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/me?q=%00%ff%F0%9F%8E%B5&category=%00&show=%27",
        "/me?q=" + "x" * 101,
        "/me?lang=xx&lang=de%0d%0aSet-Cookie:x",
        "/me?full=maybe",
        "/me/missing/%00",
        "/me/missing/owner-i?cursor=x",
        "/me/missing/label-loyalist-gold?context=master:0",
        "/me/badges/..%2f..%2f",
        "/me//",
        "/session?next=%00&why=%3Cscript%3E",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_whatever_is_asked_gets_a_page(site: str, settings: Settings, path: str, method: str) -> None:
    cookie = {"Cookie": f"__Host-gatefold={mint(settings, 'ann')}"}
    async with httpx.AsyncClient(base_url=site, headers=cookie) as client:
        answer = await client.request(method, path)
    assert answer.status_code in (200, 404, 422)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\xff\xfe", "é" * 10, "x" * 5000, "a b", '"'])
async def test_a_cookie_that_is_no_token_leads_to_signing_in(site: str, token: str) -> None:
    async with httpx.AsyncClient(base_url=site) as client:
        answer = await client.get("/me?q=1", headers={"Cookie": f"__Host-gatefold={token}".encode("latin-1")})
        assert (answer.status_code, answer.headers["location"][:28]) == (303, "/session?next=%2Fme%3Fq%3D1&"[:28])
        refused = await client.post("/session", data={"token": token}, headers={"Origin": site})
        assert refused.status_code == 401
        assert "set-cookie" not in refused.headers
