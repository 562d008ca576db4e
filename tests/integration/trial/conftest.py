"""How trials are asked for over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx
import pytest
from pydantic import BaseModel

from services.api.models.problem import ProblemBody
from services.settings import Settings
from tests.integration.served import bearer

Ask: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def ask(client: httpx.AsyncClient, settings: Settings) -> Ask:
    """A request with a token; the answer fits the model, or is a problem."""

    async def asked(
        method: str,
        path: str,
        model: type[BaseModel],
        *,
        status: int = 200,
        who: str = "ada",
        role: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        answer = await client.request(method, path, headers=bearer(settings, who, role), **more)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        (model if status == 200 else ProblemBody).model_validate(body)
        return body

    return asked
