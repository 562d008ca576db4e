"""From outbox rows to acknowledged messages: one round of the relay."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import asyncpg

from contracts.envelope import encode_binary
from contracts.topics import TOPICS
from services import metrics
from services.kafka import MissingTopic, Outgoing, Publisher, is_topic_name
from services.logs import logger
from services.stores import outbox
from services.stores.outbox import Message

SOURCE = "gatefold"

log = logger(__name__)


def as_outgoing(message: Message, topic: Callable[[str], str]) -> Outgoing:
    """The record of a message: the same bytes at every delivery."""
    headers, value = encode_binary(
        type=message.topic,
        id=message.event_id,
        source=SOURCE,
        subject=message.subject,
        time=message.time,
        data=message.value,
    )
    return Outgoing(topic(message.topic), message.subject.encode(), value, headers)


def waves(messages: Sequence[Message]) -> list[list[Message]]:
    """The messages cut so that, of one subject, those of another topic wait until the earlier ones are published.

    Shape:   messages of one subject and topic share a wave, because they share a partition, which keeps their order.
    """
    cut: list[list[Message]] = []
    last: dict[str, tuple[int, str]] = {}
    for message in messages:
        wave, topic = last.get(message.subject, (0, message.topic))
        if topic != message.topic:
            wave += 1
        last[message.subject] = (wave, message.topic)
        if wave == len(cut):
            cut.append([])
        cut[wave].append(message)
    return cut


async def publish_round(
    connection: asyncpg.Connection[asyncpg.Record],
    publisher: Publisher,
    topic: Callable[[str], str],
    limit: int,
) -> int:
    """Publish the oldest messages and forget those that Kafka acknowledged; answers how many were settled.

    Raises:  the publisher's error where some are still due, after settling the others; postgres.TRANSIENT.
    """
    messages = await outbox.next_messages(connection, limit)
    if not messages:
        return 0
    start = time.perf_counter()
    error: Exception | None = None
    for wave in waves(messages):
        report = await publisher.publish([as_outgoing(message, topic) for message in wave])
        refused = list(report.refused)
        error = report.error
        if isinstance(error, MissingTopic):
            # What is no topic of ours will not be declared tomorrow; a topic of ours may be.
            never = [
                (number, str(error))
                for number, message in enumerate(wave)
                if topic(message.topic) == error.topic and _never_comes(message.topic, error.topic)
            ]
            if never:
                refused += never
                error = None
        await _settle(connection, wave, report.sent, refused)
        if error is not None:
            raise error
    metrics.RELAY_ROUND_SECONDS.observe(time.perf_counter() - start)
    return len(messages)


def _never_comes(topic: str, kafka_topic: str) -> bool:
    return topic not in TOPICS or not is_topic_name(kafka_topic)


async def _settle(
    connection: asyncpg.Connection[asyncpg.Record],
    wave: Sequence[Message],
    sent: Sequence[int],
    refused: Sequence[tuple[int, str]],
) -> None:
    if sent:
        await outbox.delete_messages(connection, [wave[number].id for number in sent])
    if refused:
        await outbox.mark_failed(connection, [(wave[number].id, reason) for number, reason in refused])
    for number in sent:
        metrics.RELAY_PUBLISHED.labels(_label(wave[number])).inc()
    for number, reason in refused:
        message = wave[number]
        metrics.RELAY_REFUSED.labels(_label(message)).inc()
        log.error(
            "Kafka refuses a message", row=message.id, topic=message.topic, event_id=message.event_id, reason=reason
        )


def _label(message: Message) -> str:
    """The topic as a label: from a closed set."""
    return message.topic if message.topic in TOPICS else "other"
