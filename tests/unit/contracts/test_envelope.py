"""What is accepted, in both content modes, and what an accepted event says."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any

import pytest

from contracts import envelope
from contracts.topics import TOPICS

MODES = ("binary", "structured")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("topic", TOPICS)
def test_each_example_decodes_in_both_modes(topic: str, mode: str, make_record: Any) -> None:
    event = envelope.decode(**make_record(topic, mode))
    assert (event.type, event.subject.encode()) == (topic, make_record(topic)["key"])
    assert event.time.tzinfo is UTC


def test_data_has_the_attributes_of_the_model(make_record: Any) -> None:
    copy = envelope.decode(**make_record("ownership.added")).data.items[0]
    assert (copy.instance_id, copy.release.id, copy.release.title) == (912000001, 6084067, "Rubber Soul")
    assert copy.release.formats[0].descriptions == ["LP", "Album", "Mono"]
    assert copy.release.have is None


def test_data_has_the_properties_of_the_model(make_record: Any) -> None:
    # 23:30 in New York on 28 February is 1 March in UTC.
    assert envelope.decode(**make_record("user.joined")).data.joined_on.isoformat() == "2019-03-01"
    assert envelope.decode(**make_record("cron.anniversary")).data.on_date.isoformat() == "2027-03-01"


def test_the_digest_is_that_of_the_raw_data(make_record: Any) -> None:
    record = make_record("wishlist.added")
    assert envelope.decode(**record).digest == blake2b(record["value"], digest_size=8).digest()
    structured = make_record("wishlist.added", "structured")
    assert envelope.decode(**structured).digest == envelope.decode(**record).digest


def test_unknown_fields_are_ignored_whatever_they_hold(make_record: Any) -> None:
    data = make_record("review.approved")["value"][:-1] + (
        rb', "n": "\u0000", "s": "\ud800", "t": ["\udc00\ud800x", {"\ud800": 1e400}], "review_id2": -0.0, "id": '
        + b"9" * 5000
        + b"}"
    )
    record = make_record("review.approved") | {"value": data}
    assert envelope.decode(**record).data.review_id == "5501"
    event = make_record("review.approved", "structured")
    event["value"] = event["value"].replace(b'{"review_id": "5501"}', data)
    assert envelope.decode(**event).data.review_id == "5501"


@pytest.mark.parametrize("topic", ["user.deleted", "cron.sweep"])
def test_data_may_be_missing_in_structured_mode_where_nothing_is_required(topic: str, make_record: Any) -> None:
    envelope.decode(**make_record(topic, "structured", data=None))


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents+json; charset=utf-8",
        b"Application/CloudEvents+JSON",
        b" application/cloudevents+json ",
    ],
)
def test_structured_mode_is_told_by_the_content_type(content_type: bytes, make_record: Any) -> None:
    record = make_record("compare.used", "structured") | {"headers": [("Content-Type", content_type)]}
    assert envelope.decode(**record).id == "compare-17"


def test_other_content_types_are_binary_mode(make_record: Any) -> None:
    record = make_record("compare.used")
    record["headers"] = [
        *record["headers"],
        ("content-type", b"application/json"),
        ("x-trace", b"\xff"),
        ("x-trace", b""),
    ]
    assert envelope.decode(**record).id == "compare-17"


def test_header_names_count_in_any_case(make_record: Any) -> None:
    record = make_record("compare.used")
    record["headers"] = [(name.upper(), raw) for name, raw in record["headers"]]
    assert envelope.decode(**record).source == "/compare"


def test_headers_of_the_other_mode_are_ignored_in_structured_mode(make_record: Any) -> None:
    record = make_record("compare.used", "structured")
    record["headers"] = [*record["headers"], ("ce_id", b"x"), ("ce_id", b"y")]
    assert envelope.decode(**record).id == "compare-17"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-06T12:00:00Z", datetime(2026, 11, 6, 12, tzinfo=UTC)),
        ("2026-11-06t12:00:00z", datetime(2026, 11, 6, 12, tzinfo=UTC)),
        ("2026-11-06 12:00:00+00:00", datetime(2026, 11, 6, 12, tzinfo=UTC)),
        ("2026-11-06T05:00:00-07:00", datetime(2026, 11, 6, 12, tzinfo=UTC)),
        ("2026-11-06T12:00:00.123456789Z", datetime(2026, 11, 6, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-06T12:00:00.1-00:00", datetime(2026, 11, 6, 12, 0, 0, 100000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_time_is_any_rfc3339_with_an_offset(text: str, moment: datetime, make_record: Any) -> None:
    assert envelope.decode(**make_record("compare.used", time=text)).time == moment


def test_time_may_be_24_hours_ahead_and_not_a_microsecond_more(make_record: Any, refusal: Any) -> None:
    envelope.decode(**make_record("compare.used", time="2026-11-07T12:00:00Z"))
    late = make_record("compare.used", time="2026-11-07T12:00:00.000001Z")
    assert refusal(late) == ("envelope", "time: more than 24 h after the record's timestamp")


@pytest.mark.parametrize("mode", MODES)
def test_what_is_encoded_decodes(mode: str) -> None:
    moment = datetime(2026, 5, 1, 14, 0, 0, 250000, tzinfo=timezone(timedelta(hours=2)))
    attributes: Any = {"type": "wishlist.added", "id": "é", "source": "/s", "subject": "u:1", "time": moment}
    data = b'{"release_ids":[1,2],"note":"\xc3\xa9"}'
    encode = envelope.encode_binary if mode == "binary" else envelope.encode_structured
    headers, value = encode(**attributes, data=data)
    event = envelope.decode("wishlist.added", b"u:1", value, headers, int(moment.timestamp() * 1000))
    assert (event.id, event.source, event.subject, event.time) == ("é", "/s", "u:1", moment)
    assert event.data.release_ids == [1, 2]
    assert event.digest == blake2b(data, digest_size=8).digest()


def test_structured_mode_takes_a_mapping_or_nothing_as_data() -> None:
    attributes: Any = {"type": "t", "id": "1", "source": "/s", "subject": "u", "time": datetime(2026, 5, 1, tzinfo=UTC)}
    assert json.loads(envelope.encode_structured(**attributes, data={"a": 1})[1])["data"] == {"a": 1}
    assert "data" not in json.loads(envelope.encode_structured(**attributes, data=None)[1])
