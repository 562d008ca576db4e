"""Endpoints about the service itself: alive, ready, metrics, icons, documentation."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from catalog.icon import badge_svg, digest, has_icon, icon_svg
from contracts.times import rfc3339
from services.api import examples, page
from services.api.answers import fresh_answer, tagged
from services.api.models.health import Health, Ready
from services.api.problems import NOT_FOUND, Problem
from services.api.routes import parts_of
from services.stores import achievements

ICON_SECONDS: Final = 86_400
FOR_EVER: Final = "public, max-age=31536000, immutable"
FOR_A_WHILE: Final = "public, max-age=300"
# The one page here that styles itself.
STYLED: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
OF_ANY_SITE: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}  # an app on another host shows it

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
    """The picture of a category and tier, by the name that `badge.awarded` gives."""
    if not has_icon(icon):
        raise Problem(NOT_FOUND, f"There is no icon {icon[:64]!r}.")
    headers = {"Cache-Control": f"public, max-age={ICON_SECONDS}", **OF_ANY_SITE}
    return tagged(request, icon_svg(icon).encode(), "image/svg+xml", headers)


@router.get("/badges/{key}.svg", include_in_schema=False)
async def badge(request: Request, key: str, v: str = "", locked: bool = False) -> Response:
    """The picture of a badge; with the digest of its content in the address it is for ever."""
    found = parts_of(request).view.catalog.badges.get(key)
    svg = "" if found is None else badge_svg(found, locked=locked)
    current = found is not None and v == digest(svg)
    if found is None or (found.secret and not current):
        raise Problem(NOT_FOUND, f"There is no badge {key[:64]!r}.")
    headers = {"Cache-Control": FOR_EVER if current else FOR_A_WHILE, **OF_ANY_SITE}
    return tagged(request, svg.encode(), "image/svg+xml", headers)


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
    headers = {"Cache-Control": FOR_A_WHILE, "Content-Security-Policy": STYLED}
    return tagged(request, content, "text/html; charset=utf-8", headers)
