"""Planned events go to Kafka, kind after kind, in binary mode."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from contracts.envelope import encode_binary
from contracts.times import parse_time
from services.kafka import Outgoing, Publisher

BATCH_EVENTS = 10
"""So many pages are under way at once; the progress bar moves after each such batch."""


class Refused(Exception):
    """Kafka answers, and will not take an event."""


async def publish(
    publisher: Publisher,
    events: Sequence[Mapping[str, Any]],
    *,
    topic: Callable[[str], str],
    published: Callable[[int], None],
) -> None:
    """Every event to the topic of its type; `published` hears how many more Kafka has acknowledged.

    Shape:   events of another type wait until those before them are acknowledged: the end of a sync comes last.
    Raises:  Refused, or what the publisher reports; what was acknowledged stays published, and importing again repeats
             the same ids.
    """
    for _, same_type in groupby(events, key=lambda event: event["type"]):
        messages = [_outgoing(event, topic) for event in same_type]
        for start in range(0, len(messages), BATCH_EVENTS):
            report = await publisher.publish(messages[start : start + BATCH_EVENTS])
            published(len(report.sent))
            if report.error is not None:
                raise report.error
            if report.refused:
                raise Refused(f"Kafka refused an event: {report.refused[0][1]}")


def _outgoing(event: Mapping[str, Any], topic: Callable[[str], str]) -> Outgoing:
    headers, value = encode_binary(
        type=event["type"],
        id=event["id"],
        source=event["source"],
        subject=event["subject"],
        time=parse_time(event["time"]),
        data=json.dumps(event["data"], ensure_ascii=False, separators=(",", ":")).encode(),
    )
    return Outgoing(topic(event["type"]), event["subject"].encode(), value, headers)
