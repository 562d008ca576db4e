"""The demo's events as Kafka messages, and sending them in their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.demo.events import Malformed, demo_events
from services.kafka import Outgoing, Publisher

BATCH: Final = 4
STRUCTURED: Final = [("content-type", b"application/cloudevents+json")]


class NotSent(Exception):
    """Kafka did not take an event."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """One event to send: type and user as people know them, and the message."""

    type: str
    user: str
    message: Outgoing


def sendables(topic: Callable[[str], str]) -> Iterator[Sendable]:
    """All events of the demo in order, in structured mode."""
    for event in demo_events():
        if isinstance(event, Malformed):
            message = Outgoing(topic(event.topic), event.key, event.value, event.headers)
            yield Sendable(event.topic, event.key.decode(), message)
        else:
            value = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
            message = Outgoing(topic(event["type"]), event["subject"].encode(), value, STRUCTURED)
            yield Sendable(event["type"], event["subject"], message)


async def send(publisher: Publisher, events: Sequence[Sendable], sent: Callable[[int], None]) -> None:
    """Publish the events, a few at a time; `sent` hears how many more Kafka has acknowledged.

    Raises:  NotSent; KafkaError where no broker answers.
    """
    for start in range(0, len(events), BATCH):
        report = await publisher.publish([event.message for event in events[start : start + BATCH]])
        sent(len(report.sent))
        if report.error is not None:
            raise report.error
        if report.refused:
            raise NotSent(f"Kafka refused an event: {report.refused[0][1]}")
