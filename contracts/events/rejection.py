"""A record that could not be accepted, as the public mirror of the stored dead letter."""

import base64
import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.events.fields import LongText, Moment, Published, Text
from contracts.times import rfc3339

MAX_VALUE_BYTES: Final = 256 * 1024
MAX_KEY_CHARACTERS: Final = 256
Stage = Literal["oversize", "decode", "envelope", "schema", "evaluator"]
Position = Annotated[int, Field(ge=0)]


class EventRejected(Published):
    """A record was refused; the stored dead letter holds all of it."""

    topic: Text
    partition: Position
    offset: Position
    key: Text | None = Field(description="the record's key as text, cut at 256 characters; U+FFFD for what is no text")
    stage: Stage = Field(description="how far the record came")
    reason: Text = Field(description="what is wrong, with the path of the fault where there is one")
    value_base64: LongText | None = Field(description="at most the first 256 KiB of the value; null for a null value")
    value_truncated: bool = Field(description="whether value_base64 is only the beginning")
    value_sha256: Text | None = Field(description="of the whole value, hexadecimal; null for a null value")
    seen_at: Moment = Field(description="when the record was refused")


def rejection_id(topic: str, partition: int, offset: int) -> str:
    """The CloudEvents id, subject and key of an `EventRejected`: the position of the record, which never changes."""
    return f"{topic}:{partition}:{offset}"


def describe_rejection(
    *,
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    stage: Stage,
    reason: str,
    seen_at: datetime,
) -> EventRejected:
    """The message for a refused record, small enough for every topic whatever the record held."""
    text = None if key is None else key[: 4 * MAX_KEY_CHARACTERS].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return EventRejected(
        topic=topic,
        partition=partition,
        offset=offset,
        key=None if text is None else text[:MAX_KEY_CHARACTERS],
        stage=stage,
        reason=reason,
        value_base64=None if value is None else base64.b64encode(value[:MAX_VALUE_BYTES]).decode("ascii"),
        value_truncated=value is not None and len(value) > MAX_VALUE_BYTES,
        value_sha256=None if value is None else hashlib.sha256(value).hexdigest(),
        seen_at=rfc3339(seen_at),
    )
