"""Every kind of dead letter, with the stage and the exact reason."""

import json
from typing import Any

import pytest

from contracts import envelope
from contracts.generate import EXAMPLES, load

ADDED = load(EXAMPLES)["ownership.added"]["data"]
NUL = "NUL and lone surrogates are not allowed in text"


def nested(levels: int) -> bytes:
    """A document whose deepest list stands `levels` levels deep, braces in text that must not count included."""
    return b'{"text": "[{[{\\"[", "deep": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b', "review_id": "1"}'


@pytest.mark.parametrize(
    ("value", "stage", "reason"),
    [
        (None, "schema", "null value"),
        (b"", "decode", "not JSON: ends too early"),
        (b'{"review_id": "1"', "decode", "not JSON: ends too early"),
        (b"review", "decode", "not JSON: invalid character (byte 0)"),
        (b'{"review_id": "1"} {}', "decode", "not JSON: trailing characters (byte 20)"),
        (b'\xef\xbb\xbf{"review_id": "1"}', "decode", "not JSON: invalid character (byte 0)"),
        (b'{"review_id": "\xff"}', "decode", "not UTF-8 (byte 15)"),
        (b'{"review_id": "1", "unknown": "\xed\xa0\x80"}', "decode", "not UTF-8 (byte 31)"),
        (b'{"review_id": "a\x00b"}', "decode", "not JSON: invalid character (byte 16)"),
        (b'{"review_id": "1", "n": NaN}', "decode", "not JSON: NaN (byte 24)"),
        (b'{"review_id": "1", "n": Infinity}', "decode", "not JSON: Infinity (byte 24)"),
        (b'{"review_id": "1", "n": -Infinity}', "decode", "not JSON: Infinity (byte 25)"),
        (nested(33), "decode", "nesting beyond 32"),
        (nested(400_000), "decode", "nesting beyond 32"),
        (b"[" * 900_000, "decode", "nesting beyond 32"),
        (b'{"review_id": "1", "a": ' + b'{"a":' * 900, "decode", "nesting beyond 32"),
        (
            b'{"review_id": "' + b"1" * 999_984 + b'"}',
            "oversize",
            "value has 1000001 bytes, at most 1000000 are allowed",
        ),
        (b'{"review_id": "' + b"1" * 999_983 + b'"}', "schema", "data.review_id: expected str of length <= 128"),
        (b"null", "schema", "data: expected object, got null"),
        (b'["1"]', "schema", "data: expected object, got array"),
        (b'"1"', "schema", "data: expected object, got str"),
        (b"{}", "schema", "data.review_id: missing"),
        (b'{"review_id": null}', "schema", "data.review_id: expected str, got null"),
        (b'{"review_id": 1}', "schema", "data.review_id: expected str, got int"),
        (b'{"review_id": ""}', "schema", "data.review_id: expected str of length >= 1"),
        (b'{"review_id": "a\\u0000b"}', "schema", f"data.review_id: {NUL}"),
        (b'{"review_id": "\\ud800"}', "schema", f"data.review_id: {NUL}"),
        (b'{"review_id": "\\uDFFF\\uD800"}', "schema", f"data.review_id: {NUL}"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_values(value: bytes | None, stage: str, reason: str, make_record: Any, refusal: Any) -> None:
    assert refusal(make_record("review.approved") | {"value": value}) == (stage, reason)


def test_nesting_of_32_is_accepted(make_record: Any, refusal: Any) -> None:
    assert envelope.decode(**make_record("review.approved") | {"value": nested(32)}).data.review_id == "1"
    structured = make_record("review.approved", "structured")
    structured["value"] = structured["value"].replace(b'{"review_id": "5501"}', nested(32))
    assert refusal(structured) == ("decode", "nesting beyond 32")


ATTRIBUTES = [
    ({"specversion": None}, "specversion: missing"),
    ({"id": None}, "id: missing"),
    ({"source": None}, "source: missing"),
    ({"type": None}, "type: missing"),
    ({"subject": None}, "subject: missing"),
    ({"time": None}, "time: missing"),
    ({"specversion": "0.3"}, "specversion: expected '1.0', got '0.3'"),
    ({"id": ""}, "id: expected 1 to 4000 characters, got 0"),
    ({"id": "x" * 4001}, "id: expected 1 to 4000 characters, got 4001"),
    ({"source": "a\x00b"}, f"source: {NUL}"),
    ({"type": "edit.approved"}, "type: 'edit.approved' is not the topic 'review.approved'"),
    ({"type": "x" * 70}, f"type: '{'x' * 57}...' is not the topic 'review.approved'"),
    ({"subject": "a b"}, "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -"),
    ({"subject": "a\n"}, "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -"),
    ({"subject": "é"}, "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -"),
    ({"subject": ""}, "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -"),
    ({"subject": "u" * 65}, "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -"),
    ({"time": "yesterday"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2026-11-05T10:00:00"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2026-11-05T10:00:00+0100"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2026-11-05T10:00Z"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2026-11-05T10:00:00Z\n"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "٢٠٢٦-11-05T10:00:00Z"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2016-12-31T23:59:60Z"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2026-11-05T24:00:00Z"}, "time: expected an RFC 3339 time with an offset"),
    ({"time": "2026-02-29T10:00:00Z"}, "time: no such day in the calendar"),
    ({"time": "0000-01-01T00:00:00Z"}, "time: no such day in the calendar"),
    ({"time": "0001-01-01T00:00:00+00:01"}, "time: outside the years 1 to 9999 in UTC"),
    ({"time": "9999-12-31T23:59:59-00:01"}, "time: outside the years 1 to 9999 in UTC"),
    ({"time": "9999-12-31T23:59:59Z"}, "time: more than 24 h after the record's timestamp"),
]


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize(("changes", "reason"), ATTRIBUTES, ids=[repr(changes)[:50] for changes, _ in ATTRIBUTES])
def test_attributes(changes: dict[str, Any], reason: str, mode: str, make_record: Any, refusal: Any) -> None:
    assert refusal(make_record("review.approved", mode, **changes)) == ("envelope", reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": None}, "key: missing"),
        ({"key": b""}, "key: '' is not the subject 'collector-42'"),
        ({"key": b"collector-43"}, "key: 'collector-43' is not the subject 'collector-42'"),
        ({"key": b"\xff"}, "key: '\\ufffd' is not the subject 'collector-42'"),
    ],
)
def test_keys(change: dict[str, Any], reason: str, make_record: Any, refusal: Any) -> None:
    assert refusal(make_record("review.approved") | change) == ("envelope", reason)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (("ce_id", b"again"), "ce_id: given twice"),
        (("CE_ID", b"again"), "ce_id: given twice"),
        (("ce_time", b""), "ce_time: given twice"),
    ],
)
def test_repeated_headers(header: tuple[str, bytes], reason: str, make_record: Any, refusal: Any) -> None:
    record = make_record("review.approved")
    assert refusal(record | {"headers": [*record["headers"], header]}) == ("envelope", reason)


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_content_type_given_twice(mode: str, make_record: Any, refusal: Any) -> None:
    record = make_record("review.approved", mode)
    types = [("content-type", b"application/json"), ("Content-Type", b"application/cloudevents+json")]
    for pair in (types, types[::-1]):
        assert refusal(record | {"headers": [*record["headers"], *pair]}) == ("envelope", "content-type: given twice")


def test_headers_that_are_no_text(make_record: Any, refusal: Any) -> None:
    record = make_record("review.approved")
    headers = [(name, b"\xff" if name == "ce_source" else raw) for name, raw in record["headers"]]
    assert refusal(record | {"headers": headers}) == ("envelope", "source: not UTF-8")
    assert refusal(record | {"headers": []}) == ("envelope", "specversion: missing")


def test_a_topic_nobody_knows(make_record: Any, refusal: Any) -> None:
    assert refusal(make_record("review.approved") | {"topic": "review.rejected"}) == (
        "envelope",
        "topic: 'review.rejected' is not a known topic",
    )


@pytest.mark.parametrize(
    ("old", "new", "stage", "reason"),
    [
        (b'"id": "review-5501"', b'"id": 5501', "envelope", "id: expected str | null, got int"),
        (b'"id": "review-5501"', b'"id": null', "envelope", "id: missing"),
        (b'"id": "review-5501"', b'"id": "\\ud800"', "envelope", f"id: {NUL}"),
        (
            b'"subject": "collector-42"',
            b'"subject": "\\udc00"',
            "envelope",
            "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -",
        ),
        (b'{"review_id": "5501"}', b"null", "schema", "data: expected object, got null"),
        (b', "data": {"review_id": "5501"}', b"", "schema", "data: missing"),
        (b', "data": {"review_id": "5501"}', b', "data_base64": "e30="', "schema", "data: missing"),
        (b'"5501"}}', b'"5501"}', "decode", "not JSON: ends too early"),
        (b'"5501"}', b'"5501", "n": NaN}', "decode", "not JSON: NaN (byte 226)"),
    ],
)
def test_structured_events(old: bytes, new: bytes, stage: str, reason: str, make_record: Any, refusal: Any) -> None:
    record = make_record("review.approved", "structured")
    assert old in record["value"]
    assert refusal(record | {"value": record["value"].replace(old, new)}) == (stage, reason)


@pytest.mark.parametrize(("value", "kind"), [(b"[]", "array"), (b"null", "null"), (b"1", "int")])
def test_structured_events_that_are_no_object(value: bytes, kind: str, make_record: Any, refusal: Any) -> None:
    record = make_record("review.approved", "structured") | {"value": value}
    assert refusal(record) == ("envelope", f"event: expected object, got {kind}")


def test_a_null_as_data_where_nothing_is_required(make_record: Any, refusal: Any) -> None:
    record = make_record("user.deleted", "structured")
    record["value"] = record["value"].replace(b'"data": {}', b'"data": null')
    assert refusal(record) == ("schema", "data: expected object, got null")


def test_the_first_stage_names_a_record_with_several_faults(make_record: Any, refusal: Any) -> None:
    record = make_record("review.approved", id=None) | {"value": b'{"review_id": 1'}
    assert refusal(record)[0] == "decode"
    assert refusal(record | {"value": b'{"review_id": 1}'}) == ("envelope", "id: missing")


@pytest.mark.parametrize(
    ("topic", "data", "reason"),
    [
        ("user.joined", {"joined_at": "2026-13-01"}, "data.joined_at: no such day in the calendar"),
        (
            "user.joined",
            {"joined_at": "2026-12-01T10:00:00"},
            "data.joined_at: expected a date YYYY-MM-DD or an RFC 3339 time with an offset",
        ),
        (
            "user.joined",
            {"joined_at": "0001-01-01T00:00:00+23:59"},
            "data.joined_at: outside the years 1 to 9999 in UTC",
        ),
        ("cron.anniversary", {"on": "2026-12-01T00:00:00Z"}, "data.on: expected a date YYYY-MM-DD"),
        ("cron.anniversary", {"on": "2026-02-30"}, "data.on: no such day in the calendar"),
        ("wishlist.added", {"release_ids": []}, "data.release_ids: expected array of length >= 1"),
        ("wishlist.added", {"release_ids": [1] * 501}, "data.release_ids: expected array of length <= 500"),
        ("wishlist.added", {"release_ids": [1, "2"]}, "data.release_ids[1]: expected int, got str"),
        ("wishlist.added", {"release_ids": [True]}, "data.release_ids[0]: expected int, got bool"),
        ("wishlist.added", {"release_ids": [1.0]}, "data.release_ids[0]: expected int, got float"),
        ("wishlist.added", {"release_ids": [0]}, "data.release_ids[0]: expected int >= 1"),
        ("wishlist.added", {"release_ids": [2**63]}, "data.release_ids[0]: expected int <= 9223372036854775807"),
        ("wishlist.added", {"release_ids": [2**80]}, "data.release_ids[0]: expected int <= 9223372036854775807"),
        ("wishlist.added", {"release_ids": {"0": 1}}, "data.release_ids: expected array, got object"),
        ("collection.synced", {"sync_id": 0, "items_total": 1}, "data.sync_id: expected int >= 1"),
        ("collection.synced", {"sync_id": "x" * 129, "items_total": 1}, "data.sync_id: expected str of length <= 128"),
        ("collection.synced", {"sync_id": None, "items_total": 1}, "data.sync_id: expected int | str, got null"),
        ("collection.synced", {"sync_id": "x", "items_total": -1}, "data.items_total: expected int >= 0"),
    ],
)
def test_data(topic: str, data: Any, reason: str, make_record: Any, refusal: Any) -> None:
    assert refusal(make_record(topic, data=data)) == ("schema", reason)


ITEM_FAULTS = [
    ("instance_id", "1", "instance_id: expected int, got str"),
    ("instance_id", None, "instance_id: expected int, got null"),
    ("release", None, "release: expected object, got null"),
    ("release.id", "6084067", "release.id: expected int, got str"),
    ("release.title", 5, "release.title: expected str | null, got int"),
    ("release.title", "x" * 4001, "release.title: expected str of length <= 4000"),
    ("release.title", "\x00", f"release.title: {NUL}"),
    ("release.title", "\ud800", f"release.title: {NUL}"),
    ("release.master_id", -1, "release.master_id: expected int >= 0"),
    ("release.year", "1965", "release.year: expected int | null, got str"),
    ("release.year", 1965.5, "release.year: expected int | null, got float"),
    ("release.have", -1, "release.have: expected int >= 0"),
    ("release.artists", {}, "release.artists: expected array | null, got object"),
    ("release.artists", [{"id": 1}], "release.artists[0].name: missing"),
    ("release.artists", [{"id": 0, "name": "a"}], "release.artists[0].id: expected int >= 1"),
    ("release.labels", [{"name": None}], "release.labels[0].name: expected str, got null"),
    ("release.genres", ["Rock", None], "release.genres[1]: expected str, got null"),
    ("release.genres", ["Rock", "\ud800"], f"release.genres[1]: {NUL}"),
    (
        "release.formats",
        [{"name": "LP", "qty": True}],
        "release.formats[0].qty: expected int | float | str | null, got bool",
    ),
    (
        "release.formats",
        [{"name": "LP", "descriptions": "LP"}],
        "release.formats[0].descriptions: expected array | null, got str",
    ),
    ("added_at", "2026-02-30", "added_at: expected a date or a date and time of the calendar"),
    ("added_at", "20260201", "added_at: expected a date or a date and time"),
    ("added_at", 5, "added_at: expected str | null, got int"),
    ("rating", 6, "rating: expected int <= 5"),
    ("folder_id", -1, "folder_id: expected int >= 0"),
    ("media_condition", 1, "media_condition: expected str | null, got int"),
]


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize(("field", "value", "reason"), ITEM_FAULTS, ids=[fault[2][:60] for fault in ITEM_FAULTS])
def test_items(field: str, value: Any, reason: str, mode: str, make_record: Any, refusal: Any) -> None:
    data = json.loads(json.dumps(ADDED))
    *path, name = field.split(".")
    place = data["items"][1]
    for step in path:
        place = place[step]
    place[name] = value
    assert refusal(make_record("ownership.added", mode, data=data)) == ("schema", f"data.items[1].{reason}")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (b"1e400", "data.items[0].release.formats[0].qty: number out of range"),
        (b"-1e400", "data.items[0].release.formats[0].qty: number out of range"),
    ],
)
def test_infinite_numbers_in_known_fields(number: bytes, reason: str, make_record: Any, refusal: Any) -> None:
    record = make_record("ownership.added")
    record["value"] = record["value"].replace(b'"qty": "1"', b'"qty": ' + number, 1)
    assert refusal(record) == ("schema", reason)


@pytest.mark.parametrize("digits", [4_200, 4_301, 900_000])
def test_a_year_may_have_any_number_of_digits_and_an_id_may_not(digits: int, make_record: Any, refusal: Any) -> None:
    record = make_record("release.described")
    long = record["value"].replace(b'"year": 1941', b'"year": -' + b"9" * digits)
    assert envelope.decode(**record | {"value": long}).data.year < -(10**39)
    long = record["value"].replace(b'"id": 4497910', b'"id": ' + b"9" * digits)
    assert refusal(record | {"value": long}) == ("schema", "data.id: expected int <= 9223372036854775807")


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("collector-42", "subject: 'collector-42' is not a release id"),
        ("0", "subject: '0' is not a release id"),
        ("04497910", "subject: '04497910' is not a release id"),
        ("9223372036854775808", "subject: '9223372036854775808' is not a release id"),
        ("4497911", "subject: '4497911' is not the release's id 4497910"),
    ],
)
def test_subjects_of_releases(subject: str, reason: str, make_record: Any, refusal: Any) -> None:
    assert refusal(make_record("release.described", subject=subject)) == ("envelope", reason)
