"""What the read service measures of itself, and the layer around all requests that does it."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import Final

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.logs import logger

REQUESTS: Final = Counter(
    "gatefold_api_requests_total",
    "Requests answered, by route, method and class of status.",
    ["route", "method", "status"],
)
REQUEST_SECONDS: Final = Histogram(
    "gatefold_api_request_seconds",
    "From the request to the end of the answer.",
    ["route", "status"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_NO_ROUTE: Final = "none"
# Answers that operators want to see one by one; the others are in the metrics, and in the log at level DEBUG.
_NEWS: Final = HTTPStatus.INTERNAL_SERVER_ERROR


class Meter:
    """Counts, times and logs requests: by route template, never by path or user."""

    def __init__(self) -> None:
        self._log = logger(__name__)
        self._verbose = logging.getLogger(__name__)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def record(self, route: str, method: str, status: int, seconds: float, *, lasting: bool = False) -> None:
        """One request more; how long somebody looked at what lasts says nothing of ours."""
        key = (route, method, status // 100)
        if (children := self._children.get(key)) is None:
            of_status = f"{status // 100}xx"
            children = REQUESTS.labels(route, method, of_status), REQUEST_SECONDS.labels(route, of_status)
            self._children[key] = children
        children[0].inc()
        if not lasting:
            children[1].observe(seconds)
        if status >= _NEWS:
            line = self._log.warning
        elif self._verbose.isEnabledFor(logging.DEBUG):
            line = self._log.debug
        else:
            return
        line("request", route=route, method=method, status=status, milliseconds=round(seconds * 1000, 2))


class Metered:
    """Records each request that comes by."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Where the app raises, the layer outside of us answers.
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, watch)
        finally:
            route: str = getattr(scope.get("route"), "path", _NO_ROUTE)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._meter.record(route, method, status, time.perf_counter() - start, lasting="lasting" in scope)
