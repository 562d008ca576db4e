"""What a signature is, and how long a Retry-After asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.notifier.webhook import LONGEST_WAIT_SECONDS, is_genuine, seconds_in, signature

SECRET, BODY, AT = b"k" * 32, b'{"notice_id":"1"}', 1_800_000_000


def test_a_signature_is_of_the_time_and_the_body() -> None:
    # printf '1800000000.{"notice_id":"1"}' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    found = signature(SECRET, AT, BODY)
    assert found == "v1=95a563520bc735eef6e18ced26e052f2f2173879f9fccbb08a7b4b65a58dc541"
    headers = {"gatefold-timestamp": str(AT), "gatefold-signature": found}
    assert is_genuine(SECRET, headers, BODY, AT + 299)
    for secret, change, body, now in (
        (b"x" * 32, {}, BODY, AT),
        (SECRET, {"gatefold-timestamp": str(AT + 1)}, BODY, AT),
        (SECRET, {"gatefold-timestamp": "x"}, BODY, AT),
        (SECRET, {"gatefold-timestamp": "²"}, BODY, AT),
        (SECRET, {"gatefold-signature": "v1=ü"}, BODY, AT),
        (SECRET, {}, BODY + b" ", AT),
        (SECRET, {}, BODY, AT + 301),
    ):
        assert not is_genuine(secret, headers | change, body, now)
    assert not is_genuine(SECRET, {}, BODY, AT)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("", 0), ("12", 12), (" 7 ", 7), ("-1", 0), ("soon", 0), ("9" * 30, LONGEST_WAIT_SECONDS), ("½", 0)],
)
def test_retry_after_in_seconds(header: str | None, seconds: float) -> None:
    assert seconds_in(header) == seconds


def test_retry_after_as_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 < seconds_in(format_datetime(soon, usegmt=True)) <= 90
    assert seconds_in("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert seconds_in("Wed, 21 Oct 9999 07:28:00 GMT") == LONGEST_WAIT_SECONDS
