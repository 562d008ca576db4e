"""JSON answers of reads: bytes, their strong ETag, and 304 where the client has them already."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from fastapi import Request, Response

_ENCODER: Final = msgspec.json.Encoder()
# Only the user's own cache may keep it, and it asks each time whether it still holds.
PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


JSON: Final = "application/json"


class Answer(NamedTuple):
    """JSON for one user alone, and its ETag."""

    body: bytes
    tag: str

    def known(self, if_none_match: str | None) -> bool:
        """Whether the client has it, by its If-None-Match."""
        return if_none_match is not None and _matches(if_none_match, self.tag)


def answer(body: Any) -> Answer:
    """The body as an answer."""
    content = _ENCODER.encode(body)
    return Answer(content, _tag(content))


def private(request: Request, answer: Answer) -> Response:
    """The answer as private JSON, or 304 where If-None-Match names it."""
    return _unless_known(request, answer, JSON, {**PRIVATE})


def json_answer(request: Request, body: Any) -> Response:
    """The body as private JSON, or 304 where If-None-Match names it."""
    return private(request, answer(body))


def fresh_answer(body: Any, status: int = 200) -> Response:
    """The body as JSON that nobody keeps."""
    return Response(
        _ENCODER.encode(body),
        status_code=status,
        media_type=JSON,
        headers={"Cache-Control": "no-store"},
    )


def tagged(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """The content with its digest as ETag, or 304 where If-None-Match names it."""
    return _unless_known(request, Answer(content, _tag(content)), media_type, headers)


def _unless_known(request: Request, answer: Answer, media_type: str, headers: dict[str, str]) -> Response:
    headers["ETag"] = answer.tag
    if answer.known(request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=media_type, headers=headers)


def _tag(content: bytes) -> str:
    return f'"{blake2b(content, digest_size=16).hexdigest()}"'


def _matches(known: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 asks of If-None-Match."""
    return known.strip() == "*" or any(part.strip().removeprefix("W/") == tag for part in known.split(","))
