"""CloudEvents in and out of Kafka records: the codec every process shares.

Shape:   `decode` takes what Kafka gives and answers an `Event`; the encoders answer headers and value.
Raises:  InvalidEvent and nothing else, whatever the bytes. The stages come in the order oversize, decode, envelope,
         schema: a record with several faults is known by the first.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final

import msgspec

from contracts import document, hot
from contracts.events.fields import NO_NUL, Published
from contracts.events.rejection import Stage
from contracts.ids import MAX_ID, MAX_TEXT, USER_ID_PATTERN
from contracts.times import parse_time
from contracts.times import rfc3339 as rfc3339
from contracts.topics import RELEASE_KEY, TOPICS, USER_KEY, Topic

MAX_VALUE_BYTES: Final = 1_000_000
MAX_AHEAD_MS: Final = 24 * 60 * 60 * 1000
_STRUCTURED_BYTES: Final = b"application/cloudevents+json"
_JSON_BYTES: Final = b"application/json"


class InvalidEvent(Exception):
    """The record cannot be accepted: the stage it reached, and one sentence on what is wrong."""

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage: Stage = stage
        self.reason = reason


class Event(msgspec.Struct, frozen=True):
    """An accepted event.

    Shape:   `data` is a struct with the attributes of the topic's model; `digest` is the 8-byte blake2b of the raw
             bytes of the data.
    Units:   `time` is aware and UTC.
    """

    type: str
    id: str
    source: str
    subject: str
    time: datetime
    data: Any
    digest: bytes


class _Structured(msgspec.Struct, frozen=True, gc=False):
    """The attributes of a structured CloudEvent; null is as good as missing, extensions are ignored."""

    specversion: str | None = None
    id: str | None = None
    source: str | None = None
    type: str | None = None
    subject: str | None = None
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


_NAMES: Final = ("specversion", "id", "source", "type", "subject", "time")
_SLOTS: Final = {f"ce_{name}": position for position, name in enumerate(_NAMES)} | {"content-type": len(_NAMES)}
_all_slots: Final = itemgetter(*_SLOTS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_is_user_id = re.compile(USER_ID_PATTERN).fullmatch
_release_id = re.compile("[1-9][0-9]{0,18}").fullmatch
# Its data goes through a decoder of its own, its attributes through _check_attributes: both look for NUL.
_structured = hot.HotDecoder(_Structured, "", refuse_nul=False)


def decode(
    topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]], timestamp_ms: int
) -> Event:
    """The event that a record of the topic carries.

    Units:   `timestamp_ms` is the record's own timestamp, milliseconds since 1970.
    Raises:  InvalidEvent.
    """
    if value is None:
        raise InvalidEvent("schema", "null value")
    if len(value) > MAX_VALUE_BYTES:
        raise InvalidEvent("oversize", f"value has {len(value)} bytes, at most {MAX_VALUE_BYTES} are allowed")
    if fault := document.fault(value):
        raise InvalidEvent("decode", fault)
    declared, decoder = _codec(topic)
    slots, repeated = _read_headers(headers)
    structured = _is_structured(slots.pop())
    attributes, raw = _open_structured(value) if structured else ((), value)
    data: Any = None
    mismatch = None
    try:
        # The bytes come first, so that a record which is no JSON is called that, whatever else is wrong with it.
        data = decoder.decode(raw if raw or not structured else b"{}")
    except hot.NotJson as error:
        raise InvalidEvent("decode", str(error)) from None
    except hot.Mismatch as error:
        mismatch = error
    if repeated is not None and (repeated == "content-type" or not structured):
        raise InvalidEvent("envelope", f"{repeated}: given twice")
    texts = _complete(attributes) if structured else _header_texts(slots)
    event_id, source, subject, moment = _check_attributes(declared, key, texts, timestamp_ms)
    if mismatch is not None:
        raise InvalidEvent("schema", str(mismatch) if raw else "data: missing")
    if declared.key == RELEASE_KEY and int(subject) != data.id:
        raise InvalidEvent("envelope", f"subject: {_quote(subject)} is not the release's id {data.id}")
    return Event(topic, event_id, source, subject, moment, data, blake2b(raw, digest_size=8).digest())


@cache
def _codec(topic: str) -> tuple[Topic, hot.HotDecoder]:
    if topic not in TOPICS:
        raise InvalidEvent("envelope", f"topic: {_quote(topic)} is not a known topic")
    return TOPICS[topic], hot.decoder(TOPICS[topic].model)


def _read_headers(headers: Sequence[tuple[str, bytes]]) -> tuple[list[bytes | None], str | None]:
    """The headers that matter, by position in `_NAMES` and content-type last, and the name of one given twice."""
    given = dict(headers)
    if len(given) == len(headers) == len(_SLOTS) and given.keys() == _SLOTS.keys():  # nearly always
        return list(_all_slots(given)), None
    slots: list[bytes | None] = [None] * len(_SLOTS)
    repeated = None
    for name, raw in headers:
        position = _SLOTS.get(name)
        if position is None:
            name = name.lower()  # noqa: PLW2901 - exact names first, they are the rule
            position = _SLOTS.get(name)
            if position is None:
                continue
        if slots[position] is not None:
            repeated = name
        slots[position] = raw
    return slots, repeated


def _is_structured(content_type: bytes | None) -> bool:
    if content_type is None or content_type == _JSON_BYTES:
        return False
    return content_type == _STRUCTURED_BYTES or content_type.partition(b";")[0].strip().lower() == _STRUCTURED_BYTES


def _open_structured(value: bytes) -> tuple[tuple[str | None, ...], bytes]:
    """The attributes of a structured CloudEvent, and the bytes of its data, none where it has none."""
    try:
        opened = _structured.decode(value)
    except hot.NotJson as fault:
        raise InvalidEvent("decode", str(fault)) from None
    except hot.Mismatch as fault:
        raise InvalidEvent("envelope", f"{fault.path.removeprefix('.') or 'event'}: {fault.fault}") from None
    attributes = (opened.specversion, opened.id, opened.source, opened.type, opened.subject, opened.time)
    return attributes, bytes(opened.data)


def _complete(attributes: tuple[str | None, ...]) -> tuple[str, ...]:
    """The attributes, none of them missing."""
    if None in attributes:
        raise InvalidEvent("envelope", f"{_NAMES[attributes.index(None)]}: missing")
    return attributes  # type: ignore[return-value]  # no None is left


def _header_texts(slots: list[bytes | None]) -> tuple[str, ...]:
    """The headers as texts, none of them missing."""
    try:
        return tuple(map(bytes.decode, slots))  # type: ignore[arg-type]  # None raises the TypeError
    except (TypeError, UnicodeDecodeError):
        return _complete(tuple(map(_header_text, _NAMES, slots)))


def _header_text(name: str, raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        raise InvalidEvent("envelope", f"{name}: not UTF-8") from None


def _check_attributes(
    topic: Topic, key: bytes | None, attributes: tuple[str, ...], timestamp_ms: int
) -> tuple[str, str, str, datetime]:
    """Id, source, subject and time of an event whose envelope is sound."""
    specversion, event_id, source, kind, subject, time = attributes
    if specversion != "1.0":
        raise InvalidEvent("envelope", f"specversion: expected '1.0', got {_quote(specversion)}")
    if kind != topic.name:
        raise InvalidEvent("envelope", f"type: {_quote(kind)} is not the topic {_quote(topic.name)}")
    if not (0 < len(event_id) <= MAX_TEXT and 0 < len(source) <= MAX_TEXT) or "\x00" in event_id or "\x00" in source:
        _check_text("id", event_id)
        _check_text("source", source)
    if topic.key != USER_KEY or _is_user_id(subject) is None:
        _check_subject(topic.key, subject)
    if key is None:
        raise InvalidEvent("envelope", "key: missing")
    if key != subject.encode():
        raise InvalidEvent(
            "envelope", f"key: {_quote(key.decode('utf-8', 'replace'))} is not the subject {_quote(subject)}"
        )
    try:
        moment = parse_time(time)
    except ValueError as fault:
        raise InvalidEvent("envelope", f"time: {fault}") from None
    if _is_after(moment, timestamp_ms + MAX_AHEAD_MS):
        raise InvalidEvent("envelope", "time: more than 24 h after the record's timestamp")
    return event_id, source, subject, moment


def _is_after(moment: datetime, milliseconds: int) -> bool:
    """Whether it is later than so many milliseconds since 1970, to the microsecond; no date can overflow."""
    if moment.timestamp() * 1000 < milliseconds - 1:  # a float is near enough, except at the boundary
        return False
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds > milliseconds * 1_000


def _check_text(name: str, text: str) -> None:
    if not 1 <= len(text) <= MAX_TEXT:
        raise InvalidEvent("envelope", f"{name}: expected 1 to {MAX_TEXT} characters, got {len(text)}")
    if "\x00" in text:
        raise InvalidEvent("envelope", f"{name}: {NO_NUL}")


def _check_subject(rule: str, subject: str) -> None:
    if rule == USER_KEY:
        raise InvalidEvent("envelope", "subject: expected 1 to 64 of A-Z a-z 0-9 _ . : @ -")
    if rule == RELEASE_KEY:
        if _release_id(subject) is None or int(subject) > MAX_ID:
            raise InvalidEvent("envelope", f"subject: {_quote(subject)} is not a release id")
    else:
        _check_text("subject", subject)


def _quote(text: str) -> str:
    """The text in quotes, cut to what a reason can hold, without anything that could break a log or a database."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")


def encode_binary(
    *, type: str, id: str, source: str, subject: str, time: datetime, data: bytes
) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of a record in binary mode; the data goes out byte for byte."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
        ("ce_subject", subject.encode()),
        ("ce_time", rfc3339(time).encode()),
        ("content-type", _JSON_BYTES),
    ]
    return headers, data


def encode_structured(
    *, type: str, id: str, source: str, subject: str, time: datetime, data: Mapping[str, Any] | bytes | None
) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of a record in structured mode; without data where it is None."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": rfc3339(time),
        "datacontenttype": "application/json",
    }
    if data is not None:
        event["data"] = msgspec.Raw(data) if isinstance(data, bytes) else data
    return [("content-type", _STRUCTURED_BYTES)], msgspec.json.encode(event)


def serialise(event: Published) -> bytes:
    """The data of an event we publish: same event, same bytes, whatever order its evidence was collected in.

    An optional field without a value is left out; a required one says null.
    """
    absent = {
        name
        for name, field in type(event).model_fields.items()
        if not field.is_required() and getattr(event, name) is None
    }
    return msgspec.json.encode(event.model_dump(mode="json", exclude=absent), order="sorted")
