"""The picture of each badge, and of those that nobody should see."""

from __future__ import annotations

import httpx
import pytest

from catalog.index import Catalog
from services.api.view import icon_path
from services.settings import Settings
from tests.integration.api.world import CATALOG
from tests.integration.served import problem, served


@pytest.mark.parametrize("key", sorted(CATALOG.badges))
async def test_every_badge_has_its_picture(client: httpx.AsyncClient, key: str) -> None:
    badge = CATALOG.badges[key]
    for path, kept in (
        (f"/icons/{badge.icon}.svg", "public, max-age=86400"),
        (f"/badges/{key}.svg", "public, max-age=300"),
        (f"/badges/{key}.svg?v=older", "public, max-age=300"),
        (icon_path(badge), "public, max-age=31536000, immutable"),
        (icon_path(badge, locked=True), "public, max-age=31536000, immutable"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.headers["cache-control"] == kept
        assert answer.text.startswith("<svg ")
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(path, headers=known)).status_code == 304


async def test_the_picture_of_a_secret_badge_is_for_who_was_told_its_address(settings: Settings) -> None:
    secret = CATALOG.badges["deep-cut"].model_copy(update={"key": "hush", "family": "hush", "secret": True})
    async with served(settings, catalog=Catalog([*CATALOG.badges.values(), secret])) as client:
        unknown, guessed = [(await client.get(f"/badges/{key}.svg")) for key in ("none", "hush")]
        assert problem(guessed, 404)["detail"].replace("hush", "none") == problem(unknown, 404)["detail"]
        assert (await client.get(icon_path(secret))).status_code == 200


async def test_a_badge_in_the_shadow_has_no_picture(settings: Settings) -> None:
    shadow = CATALOG.badges["deep-cut"].model_copy(update={"key": "hush", "family": "hush", "shadow": True})
    async with served(settings, catalog=Catalog([*CATALOG.badges.values(), shadow])) as client:
        assert [(await client.get(path)).status_code for path in ("/badges/hush.svg", icon_path(shadow))] == [404, 404]
