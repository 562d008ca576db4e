"""Endpoints about the service itself: alive, ready, metrics, icons, documentation."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from catalog.icon import has_icon, icon_svg
from contracts.times import rfc3339
from services.api import examples, page
from services.api.answers import fresh_answer, tagged
from services.api.models import Health, Ready
from services.api.problems import NOT_FOUND, Problem
from services.api.routes import parts_of
from services.stores import achievements

ICON_SECONDS: Final = 86_400
FOR_A_WHILE: Final = "public, max-age=300"
# An SVG opened by itself is a document: it may style itself and nothing else.
DRAWING_ONLY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

router = APIRouter(tags=["service"])


@router.get("/healthz", response_model=Health, responses=examples.responses())
async def healthz() -> Response:
    """Whether the process answers."""
    return fresh_answer({"status": "ok"})


@router.get("/readyz", response_model=Ready, responses=examples.responses(503))
async def readyz(request: Request) -> Response:
    """Whether PostgreSQL answers, and how far behind relay and worker are."""
    lag = await parts_of(request).probe.ask(achievements.lag)
    moved = lag.ledger_moved_at
    body = {
        "status": "ready",
        "stores": {"postgresql": "up"},
        "lag": {
            "outbox_oldest_seconds": 0.0 if lag.outbox_seconds is None else round(max(0.0, lag.outbox_seconds), 3),
            "ledger_moved_at": None if moved is None else rfc3339(moved),
            "partitions": lag.partitions,
        },
    }
    return fresh_answer(body)


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """For Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/icons/{icon}.svg", include_in_schema=False)
async def icon(request: Request, icon: str) -> Response:
    """The picture of a badge."""
    if not has_icon(icon):
        raise Problem(NOT_FOUND, f"There is no icon {icon[:64]!r}.")
    headers = {
        "Cache-Control": f"public, max-age={ICON_SECONDS}",
        "Content-Security-Policy": DRAWING_ONLY,
        "Cross-Origin-Resource-Policy": "cross-origin",  # an app on another host shows it
    }
    return tagged(request, icon_svg(icon).encode(), "image/svg+xml", headers)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """This API for machines."""
    return tagged(
        request, msgspec.json.encode(request.app.openapi()), "application/json", {"Cache-Control": FOR_A_WHILE}
    )


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """This API for people; one page that loads nothing from anywhere."""
    content = page.render(request.app.openapi()).encode()
    headers = {"Cache-Control": FOR_A_WHILE, "Content-Security-Policy": DRAWING_ONLY}
    return tagged(request, content, "text/html; charset=utf-8", headers)
