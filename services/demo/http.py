"""Real questions to the running API, each with a real token."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

LIST: Final = "/api/user/achievements"
ADMIN: Final = "/api/admin/campaigns"
TIMEOUT_SECONDS: Final = 15.0


class ApiRefused(Exception):
    """The API gave another answer than that it did what it was asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and what came back."""

    path: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: Any


class Api:
    """The API at an address."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def get(self, path: str, token: str) -> Answer:
        """The answer to a GET.

        Raises:  ApiRefused for any status but 200 and 201; OSError where nobody answers.
        """
        return await asyncio.to_thread(self._ask, "GET", path, token, None)

    async def post(self, path: str, token: str, body: Any) -> Answer:
        """The answer to a POST of JSON.

        Raises:  as `get`.
        """
        return await asyncio.to_thread(self._ask, "POST", path, token, json.dumps(body))

    def _ask(self, method: str, path: str, token: str, body: str | None) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        try:
            wanted = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            connection.request(method, path, body, wanted)
            response = connection.getresponse()
            raw = response.read()
        finally:
            connection.close()
        if response.status not in (http.client.OK, http.client.CREATED):
            said = raw[:300].decode(errors="replace")
            raise ApiRefused(f"{method} {path} was answered {response.status} {response.reason}: {said}")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(path, response.status, response.reason, headers, json.loads(raw))
