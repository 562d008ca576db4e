"""One line of JSON, one structured CloudEvent: what `gatefold emit` makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from contracts.envelope import InvalidEvent, decode
from contracts.topics import INPUT_TOPICS
from services.kafka import Outgoing

HEADERS = (("content-type", b"application/cloudevents+json"),)
_TYPES = frozenset(INPUT_TOPICS)
_type_of = re.compile(rb'"type"\s*:\s*"([a-z.]{1,64})"')
_subject_of = re.compile(rb'"subject"\s*:\s*"([^"\\]{0,256})"')


class _Head(msgspec.Struct):
    """The two attributes that say where a line goes; everything else is skipped, not looked at."""

    type: Any = None
    subject: Any = None


_read_head = msgspec.json.Decoder(_Head).decode


class BadLine(Exception):
    """The line cannot be published; the message says why."""


def validated(line: bytes, topic: Callable[[str], str], now_ms: int) -> Outgoing:
    """The record of a line that the worker will accept: checked on the very bytes that are published.

    Raises:  BadLine.
    """
    try:
        kind, subject = _head_of(line)
        name, key = _known(kind), _as_key(subject)
    except BadLine as bad:
        raise BadLine(_why_unreadable(line, now_ms) or str(bad)) from None
    try:
        decode(name, key, line, HEADERS, now_ms)
    except InvalidEvent as invalid:
        raise BadLine(str(invalid)) from None
    return Outgoing(topic(name), key, line, HEADERS)


def unvalidated(line: bytes, topic: Callable[[str], str]) -> Outgoing:
    """The record of a line as it is, wrong or not, so long as it says where it belongs.

    Raises:  BadLine where it does not.
    """
    kind, subject = _head_of(line)
    return Outgoing(topic(_known(kind)), _as_key(subject), line, HEADERS)


def _head_of(line: bytes) -> tuple[Any, Any]:
    """Type and subject of a line, right or wrong, whatever else it holds.

    Raises:  BadLine where it is no JSON object.
    """
    try:
        head = _read_head(line)
        return head.type, head.subject
    except RecursionError:
        return _look_for_head(line)
    except (msgspec.MsgspecError, UnicodeError):
        pass
    # json reads what msgspec is right to refuse: NaN, lone surrogates, bytes that are no UTF-8.
    try:
        found = json.loads(line.decode("utf-8", "surrogateescape"))
    except RecursionError:
        return _look_for_head(line)
    except ValueError as error:
        raise BadLine(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadLine("envelope: event: expected a JSON object")
    return found.get("type"), found.get("subject")


def _known(kind: Any) -> str:
    if kind is None:
        raise BadLine("envelope: type: missing")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise BadLine(f"envelope: type: {json.dumps(kind)[:80]} is no topic that takes events")
    return kind


def _as_key(subject: Any) -> bytes | None:
    """The subject's bytes as they stand in the line, where it is text."""
    if not isinstance(subject, str):
        return None
    try:
        return subject.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return subject.encode("utf-8", "surrogatepass")


def _look_for_head(line: bytes) -> tuple[str | None, str | None]:
    """Type and subject of a line that is nested too deeply for any parser."""
    kind, subject = _type_of.search(line), _subject_of.search(line)
    return (
        None if kind is None else kind[1].decode(),
        None if subject is None else subject[1].decode("utf-8", "surrogateescape"),
    )


def _why_unreadable(line: bytes, now_ms: int) -> str | None:
    """What the worker would say of a line that it cannot read, or will not for its size."""
    try:
        decode(INPUT_TOPICS[0], None, line, HEADERS, now_ms)
    except InvalidEvent as invalid:
        return str(invalid) if invalid.stage in ("decode", "oversize") else None
    return None
