"""Signing in and out, and what a page does for somebody it does not know."""

from __future__ import annotations

import httpx
import pytest
from joserfc import jwt

from services.api.keys import secret_key
from services.api.tokens import mint
from services.settings import Settings
from tests.browser.conftest import SECRET, SignIn


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
