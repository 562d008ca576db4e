"""What we publish is strict, small enough and always the same bytes."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.envelope import encode_binary, serialise
from contracts.events.badge import BadgeAwarded
from contracts.events.rejection import describe_rejection, rejection_id
from contracts.generate import EXAMPLES, load
from contracts.topics import OUTPUT_TOPICS, TOPICS

EXAMPLE = load(EXAMPLES)
AWARD = EXAMPLE["badge.awarded"]["data"]
SEEN = datetime(2026, 11, 9, 9, 16, tzinfo=UTC)


def shuffled(value: Any) -> Any:
    return {name: shuffled(value[name]) for name in reversed(value)} if isinstance(value, dict) else value


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_the_same_event_is_the_same_bytes_in_whatever_order_it_was_put_together(topic: str) -> None:
    model: Any = TOPICS[topic].model
    data = EXAMPLE[topic]["data"]
    assert serialise(model(**data)) == serialise(model(**shuffled(data)))
    assert json.loads(serialise(model(**data))) == data


def test_an_optional_field_without_value_is_left_out_and_a_required_one_says_null() -> None:
    by_hand = json.loads(serialise(BadgeAwarded(**AWARD | {"campaign_id": None, "caused_by": None})))
    assert "campaign_id" not in by_hand
    assert by_hand["caused_by"] is None
    assert json.loads(serialise(BadgeAwarded(**AWARD | {"campaign_id": "c-1"})))["campaign_id"] == "c-1"


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"revision": 0},
        {"revision": "1"},
        {"user_id": "a b"},
        {"source": "guess"},
        {"awarded_at": "2026-11-02"},
        {"awarded_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"badge": AWARD["badge"] | {"category": "loudness"}},
    ],
)
def test_what_the_contract_does_not_know_is_not_published(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BadgeAwarded(**AWARD | change)


def test_a_rejection_fits_its_topic_whatever_the_record_held() -> None:
    value = bytes(range(256)) * 16_000
    event = describe_rejection(
        topic="t",
        partition=0,
        offset=1,
        key=b"\xff\x00" * 100_000,
        value=value,
        stage="oversize",
        reason="r",
        seen_at=SEEN,
    )
    data = serialise(event)
    position = rejection_id("t", 0, 1)
    headers, _ = encode_binary(type="event.rejected", id=position, source="/s", subject=position, time=SEEN, data=data)
    assert len(data) + sum(len(name) + len(raw) for name, raw in headers) < TOPICS["event.rejected"].max_message_bytes
    assert base64.b64decode(event.value_base64 or "") == value[: 256 * 1024]
    assert event.value_truncated is True
    assert event.value_sha256 == hashlib.sha256(value).hexdigest()
    assert event.key == "\ufffd" * 256


def test_a_small_value_is_whole_and_a_null_value_is_null() -> None:
    given: Any = {"topic": "t", "partition": 0, "offset": 1, "stage": "schema", "reason": "null value", "seen_at": SEEN}
    small = describe_rejection(key=b"u1", value=b"x" * (256 * 1024), **given)
    assert (small.value_truncated, small.key) == (False, "u1")
    none = describe_rejection(key=None, value=None, **given)
    assert (none.value_base64, none.value_truncated, none.value_sha256, none.key) == (None, False, None, None)
