"""One line, one record, or a reason why not."""

import json
from typing import Any

import pytest

from contracts.topics import INPUT_TOPICS
from services.cli.lines import HEADERS, BadLine, unvalidated, validated

NOW_MS = 1_767_323_045_000


def event(**more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "test",
        "type": "review.approved",
        "subject": "ann",
        "time": "2026-01-02T03:04:05Z",
        "data": {"review_id": "r"},
        **more,
    }


def prefixed(name: str) -> str:
    return "p." + name


def check(line: bytes) -> str:
    with pytest.raises(BadLine) as bad:
        validated(line, prefixed, NOW_MS)
    return str(bad.value)


def test_the_record_is_the_line() -> None:
    line = json.dumps(event(), indent=1).replace("\n", "\t").encode()
    record = validated(line, prefixed, NOW_MS)
    assert (record.topic, record.key, record.value) == ("p.review.approved", b"ann", line)
    assert record.headers == HEADERS


def test_what_the_worker_ignores_is_ignored_here() -> None:
    line = json.dumps(event(data={"review_id": "r", "unknown": "\ud800"})).encode()
    assert validated(line, prefixed, NOW_MS).value == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b'"text"', "envelope"),
        (b"[]", "envelope"),
        (json.dumps(event(type="badge.awarded")).encode(), "no topic that takes events"),
        (json.dumps(event(type=["x"])).encode(), "no topic that takes events"),
        (json.dumps(event(subject=None)).encode(), "subject"),
        (json.dumps(event(subject="\ud800")).encode(), "subject"),
        (json.dumps(event(time="2026-01-04T03:04:05Z")).encode(), "time"),
        (json.dumps(event(data={})).encode(), "data.review_id"),
        (json.dumps(event(data=None)).encode(), "data"),
        (json.dumps(event(x="y" * 1_000_000)).encode(), "oversize"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "nesting"),
    ],
)
def test_what_is_wrong_is_said(line: bytes, reason: str) -> None:
    assert reason in check(line)


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        (b'"ann"', b"ann"),
        (b'"a\\u0000b"', b"a\0b"),
        (b'"\xfe"', b"\xfe"),
        (b'"\\ud800"', b"\xed\xa0\x80"),
        (b"7", None),
    ],
)
def test_without_validation_the_key_is_the_subject(subject: bytes, key: bytes | None) -> None:
    line = b'{"type":"user.joined","subject":' + subject + b"}"
    record = unvalidated(line, prefixed)
    assert (record.topic, record.key, record.value) == ("p.user.joined", key, line)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"7", b"{}", b'{"type":7}', b'{"type":"x"}', b'{"type":"event.rejected"}']
)
def test_without_validation_a_line_must_still_say_where_it_goes(line: bytes) -> None:
    with pytest.raises(BadLine):
        unvalidated(line, prefixed)


@pytest.mark.parametrize("name", INPUT_TOPICS)
def test_every_input_topic_takes_lines(name: str) -> None:
    assert unvalidated(json.dumps(event(type=name)).encode(), prefixed).topic == "p." + name
