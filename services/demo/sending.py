"""The demo's events as Kafka messages, and sending them in their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.demo.events import Malformed, demo_events
from services.kafka import Outgoing, Publisher

BATCH: Final = 4
STRUCTURED: Final = [("content-type", b"application/cloudevents+json")]

# Topics that act on one metric. Kafka keeps no order between topics, and every order of reading them is right, but
# what is earned on the way, and when, may differ.
METRIC_OF: Final[Mapping[str, str]] = {
    "ownership.added": "copies",
    "ownership.removed": "copies",
    "wishlist.added": "wishes",
    "wishlist.removed": "wishes",
    "user.joined": "tenure",
    "cron.anniversary": "tenure",
}


class NotSent(Exception):
    """Kafka did not take an event."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """One event to send: type and user as people know them, and the message."""

    type: str
    user: str
    message: Outgoing


def sendables(
    topic: Callable[[str], str], events: Iterable[Mapping[str, Any] | Malformed] | None = None
) -> Iterator[Sendable]:
    """The events (those of the first act unless others are given) in order, in structured mode."""
    for event in demo_events() if events is None else events:
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


def unmixed(events: Sequence[Sendable]) -> Iterator[list[Sendable]]:
    """The events in order, cut wherever one acts on a metric that the last one to act on it acted on by another topic.

    Shape:   sent group by group, each when the one before is processed, they earn the same in every run.
    """
    group: list[Sendable] = []
    last: dict[str, str] = {}
    for event in events:
        metric = METRIC_OF.get(event.type)
        if metric is not None and last.get(metric, event.type) != event.type and group:
            yield group
            group = []
        if metric is not None:
            last[metric] = event.type
        group.append(event)
    if group:
        yield group
