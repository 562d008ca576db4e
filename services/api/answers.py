"""JSON answers of reads: bytes, their strong ETag, and 304 where the client has them already."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec
from fastapi import Request, Response

_ENCODER: Final = msgspec.json.Encoder()
# Only the user's own cache may keep it, and it asks each time whether it still holds.
PRIVATE: Final = "private, no-cache"


def json_answer(request: Request, body: Any) -> Response:
    """The body as private JSON, or 304 where If-None-Match names it."""
    return tagged(
        request, _ENCODER.encode(body), "application/json", {"Cache-Control": PRIVATE, "Vary": "Authorization"}
    )


def fresh_answer(body: Any, status: int = 200) -> Response:
    """The body as JSON that nobody keeps."""
    return Response(
        _ENCODER.encode(body),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def tagged(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """The content with its digest as ETag, or 304 where If-None-Match names it."""
    tag = f'"{blake2b(content, digest_size=16).hexdigest()}"'
    headers["ETag"] = tag
    known = request.headers.get("if-none-match")
    if known is not None and _matches(known, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _matches(known: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 asks of If-None-Match."""
    return known.strip() == "*" or any(part.strip().removeprefix("W/") == tag for part in known.split(","))
