"""Signed webhooks."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from services.notifier.channel import Later, Never, Outcome, Sent
from services.notifier.notice import Notice, body_of

LONGEST_WAIT_SECONDS: Final = 86_400.0
PATIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, in hex, of the timestamp, a full stop and the body."""
    return f"v1={hmac.digest(secret, str(timestamp).encode() + b'.' + body, 'sha256').hex()}"


def is_genuine(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a webhook is ours and new: for receivers, with headers by their names in lower case."""
    timestamp = headers.get("gatefold-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > 300:
        return False
    expected = "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get("gatefold-signature", "").encode())


class Webhook:
    """Posts each notice to one address."""

    def __init__(self, url: str, secret: bytes, *, seconds: float) -> None:
        self._url, self._secret = url, secret
        # A redirect would lead a signed body to somebody whom nobody has set.
        self._client = httpx.AsyncClient(timeout=seconds, follow_redirects=False)

    async def deliver(self, notice: Notice) -> Outcome:
        """Post once. 408, 429 and 5xx pass, other refusals do not."""
        body, now = body_of(notice), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "gatefold-notifier",
            "Idempotency-Key": notice.notice_id,
            "Gatefold-Timestamp": str(now),
            "Gatefold-Signature": signature(self._secret, now, body),
        }
        try:
            async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                # What the answer holds is of no interest, however much it is.
                status, wait = answer.status_code, answer.headers.get("retry-after")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Later(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        if HTTPStatus(200) <= status < HTTPStatus(300):
            return Sent()
        if status in PATIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Later(f"answered {status}", seconds_in(wait))
        return Never(f"answered {status}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def seconds_in(header: str | None) -> float:
    """How long a Retry-After asks to wait, a day at most; 0 where it says nothing that we understand."""
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_WAIT_SECONDS)
