"""An api whose pages another site may frame, and a user who shares."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.api.models.shares import Shared
from services.settings import Settings
from tests.integration.served import api_settings
from tests.integration.shares.world import SHARES, SITE, Share


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return api_settings(database, api_rate_share="", embed_origins=SITE)


@pytest.fixture
def share(client: httpx.AsyncClient, headers: dict[str, str]) -> Share:
    async def shared(**body: Any) -> dict[str, Any]:
        answer = await client.post(SHARES, headers=headers, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        Shared.model_validate(found)
        return found

    return shared
