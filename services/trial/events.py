"""Events to be tried: one that is named, or those of a file as `gatefold emit` takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import structs

from contracts.envelope import Event, InvalidEvent, decode, encode_structured
from contracts.topics import INPUT_TOPICS

EMPTY: Final = " (empty)"
"""Behind a user id it is one that nobody can have: nothing that is stored is read for it."""
DESCRIBED: Final = "release.described"
_HEADERS: Final = (("content-type", b"application/cloudevents+json"),)
_LAST_MS: Final = 253_402_300_799_000  # a simulated time may be any
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Future(ValueError):
    """The time has not come yet."""


class _Head(msgspec.Struct):
    type: Any = None
    subject: Any = None


_read_head: Final = msgspec.json.Decoder(_Head).decode


@dataclass(slots=True)
class Script:
    """The events of a file: (number of the line, event); bad lines with the reason, and repeated identities."""

    events: list[tuple[int, Event]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)


def named(kind: str, user_id: str, data: Mapping[str, Any] | None, time: datetime, now: datetime) -> Event:
    """The event of this type; of an anniversary the date is that of `time`, where `data` names none.

    Raises:  Future; InvalidEvent as the worker would refuse it.
    """
    if kind not in INPUT_TOPICS:
        raise InvalidEvent("envelope", f"type: {kind[:80]!a} is no topic that takes events")
    if time > now:
        raise Future(f"{time.isoformat()} is in the future")
    said = dict(data or {})
    if kind == "cron.anniversary":
        said.setdefault("on", time.date().isoformat())
    subject = str(said.get("id")) if kind == DESCRIBED else user_id
    try:
        headers, value = encode_structured(
            type=kind, id="dry-run", source="/dry-run", subject=subject, time=time, data=said
        )
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidEvent("decode", str(error)) from None
    return decode(kind, subject.encode(), value, headers, int((now - _EPOCH).total_seconds() * 1000))


def parse(line: bytes) -> Event:
    """The structured CloudEvent of a line, whatever its time.

    Raises:  InvalidEvent.
    """
    kind = subject = None
    try:
        head = _read_head(line)
        kind, subject = head.type, head.subject
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        decode(INPUT_TOPICS[0], b"", line, _HEADERS, _LAST_MS)
    if not isinstance(kind, str) or kind not in INPUT_TOPICS:
        raise InvalidEvent("envelope", f"type: {str(kind)[:80]!a} is no topic that takes events")
    key = subject.encode("utf-8", "surrogatepass") if isinstance(subject, str) else None
    return decode(kind, key, line, _HEADERS, _LAST_MS)


def script(lines: Iterable[tuple[int, bytes]], user_id: str | None = None) -> Script:
    """The events of numbered lines, in order; blank lines are skipped, and the second of one identity.

    `user_id`: whose events they are taken for, whomever they name; without it each user's, who begins with nothing.
    """
    found = Script()
    seen: set[tuple[str, str]] = set()
    for number, line in lines:
        if not line.strip():
            continue
        try:
            event = parse(line)
        except InvalidEvent as invalid:
            found.bad.append((number, str(invalid)))
            continue
        if (event.source, event.id) in seen:
            found.repeated.append(number)
            continue
        seen.add((event.source, event.id))
        if event.type != DESCRIBED:
            event = structs.replace(event, subject=event.subject + EMPTY if user_id is None else user_id)
        found.events.append((number, event))
    return found
