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
TIMEOUT_SECONDS: Final = 15.0


class ApiRefused(Exception):
    """The API gave another answer than 200."""


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

        Raises:  ApiRefused for any status but 200; OSError where nobody answers.
        """
        return await asyncio.to_thread(self._get, path, token)

    def _get(self, path: str, token: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
            response = connection.getresponse()
            raw = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            said = raw[:300].decode(errors="replace")
            raise ApiRefused(f"GET {path} was answered {response.status} {response.reason}: {said}")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(path, response.status, response.reason, headers, json.loads(raw))
