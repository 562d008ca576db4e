"""No input whatever gets anything but an event or an InvalidEvent out of the codec."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import envelope
from contracts.generate import EXAMPLES, load
from contracts.topics import TOPICS

STAGES = {"oversize", "decode", "envelope", "schema"}
EVENTS = load(EXAMPLES)
NAMES = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type", "CE_ID", "é", ""]
TOPIC = st.sampled_from([*sorted(TOPICS), "nobody.knows", ""])
SCRAPS = [
    b"{", b"}", b"[", b"]", b'"', b"\\", b":", b",", b"\x00", b"\xff", b"\xed\xa0\x80",
    rb"\ud800", rb"\u0000", rb"\udc00\ud800",
    b"NaN", b"-Infinity", b"1e400", b"-", b"0" * 50, b"9" * 5000, b"null", b"true", b"{" * 40,
    b"[" * 2000, b'{"a":' * 50,
    b'"data":', b'"id":', b'"items":', b"\xef\xbb\xbf", b" ", b"\n", "\u2028".encode(), b"1.0", b'""',
]  # fmt: skip


def outcome(topic: str, key: bytes | None, value: bytes | None, headers: Any, timestamp_ms: int) -> str:
    refused = None
    try:
        event = envelope.decode(topic, key, value, headers, timestamp_ms)
    except envelope.InvalidEvent as fault:
        refused = fault
    if refused is None:
        assert event.type == topic
        assert len(event.digest) == 8
        return "accepted"
    assert refused.stage in STAGES
    assert 0 < len(refused.reason) < 500
    assert "\x00" not in refused.reason
    assert refused.reason.encode()
    return refused.stage


@settings(max_examples=400, deadline=None)
@given(
    topic=TOPIC,
    key=st.none() | st.binary(max_size=80),
    value=st.none() | st.binary(max_size=300) | st.lists(st.sampled_from(SCRAPS), max_size=30).map(b"".join),
    headers=st.lists(
        st.tuples(
            st.sampled_from(NAMES) | st.text(max_size=20),
            st.binary(max_size=40)
            | st.sampled_from([b"1.0", b"application/cloudevents+json", b"2026-01-01T00:00:00Z"]),
        ),
        max_size=9,
    ),
    timestamp_ms=st.integers(-(2**63), 2**63 - 1),
)
def test_anything(topic: str, key: bytes | None, value: bytes | None, headers: Any, timestamp_ms: int) -> None:
    outcome(topic, key, value, headers, timestamp_ms)


@settings(max_examples=600, deadline=None)
@given(data=st.data(), topic=st.sampled_from(sorted(TOPICS)), structured=st.booleans())
def test_examples_with_their_bytes_changed(data: st.DataObject, topic: str, structured: bool) -> None:
    event = EVENTS[topic]
    value = json.dumps(event if structured else event["data"], ensure_ascii=False).encode()
    headers = [("content-type", b"application/cloudevents+json")]
    if not structured:
        headers = [
            (f"ce_{name}", event[name].encode()) for name in ("specversion", "id", "source", "type", "subject", "time")
        ]
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(value)))
        length = data.draw(st.integers(0, 3))
        value = value[:place] + data.draw(st.sampled_from(SCRAPS)) + value[place + length :]
    if data.draw(st.booleans()):
        position = data.draw(st.integers(0, len(headers) - 1))
        headers[position] = (headers[position][0], data.draw(st.binary(max_size=30)))
    outcome(topic, event["subject"].encode(), value, headers, 4_000_000_000_000)


@settings(max_examples=200, deadline=None)
@given(
    extra=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=20,
    ),
    surrogate=st.sampled_from(["", "\ud800", "\udfff", "\udc00\ud800"]),
)
def test_no_unknown_field_refuses_an_event(extra: Any, surrogate: str) -> None:
    event = EVENTS["wishlist.added"]
    value = json.dumps({**event, "data": {**event["data"], "extra": [extra, surrogate]}}).encode()
    headers = [("content-type", b"application/cloudevents+json")]
    assert outcome("wishlist.added", event["subject"].encode(), value, headers, 4_000_000_000_000) == "accepted"
