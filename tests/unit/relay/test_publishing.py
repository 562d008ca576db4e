"""What the relay makes of outbox rows before Kafka sees them."""

from datetime import UTC, datetime

import pytest

from services.kafka import partition_of
from services.relay.publishing import as_outgoing, waves
from services.stores.outbox import Message

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def message(number: int, subject: str, topic: str = "badge.awarded") -> Message:
    return Message(number, topic, subject, f"id-{number}", NOW, b"{}")


def ids(cut: list[list[Message]]) -> list[list[int]]:
    return [[one.id for one in wave] for wave in cut]


def test_one_topic_is_one_wave() -> None:
    assert ids(waves([message(1, "a"), message(2, "b"), message(3, "a")])) == [[1, 2, 3]]


def test_a_subject_that_changes_topic_waits_and_nobody_else_does() -> None:
    rows = [
        message(1, "a"),
        message(2, "a", "badge.revoked"),
        message(3, "b", "badge.revoked"),
        message(4, "a", "badge.revoked"),
        message(5, "a"),
        message(6, "b", "badge.revoked"),
    ]
    assert ids(waves(rows)) == [[1, 3, 6], [2, 4], [5]]


def test_no_message_is_lost_in_the_waves() -> None:
    topics = ("badge.awarded", "badge.revoked", "event.rejected")
    rows = [message(n, f"user-{n % 5}", topics[n * n % 3]) for n in range(200)]
    cut = waves(rows)
    assert sorted(one.id for wave in cut for one in wave) == list(range(200))
    for subject in {row.subject for row in rows}:
        assert [one.id for wave in cut for one in wave if one.subject == subject] == [
            row.id for row in rows if row.subject == subject
        ]


def test_a_message_has_the_same_bytes_every_time() -> None:
    first, second = (as_outgoing(message(1, "ann"), lambda name: "p." + name) for _ in range(2))
    assert first == second
    assert (first.topic, first.key, first.value) == ("p.badge.awarded", b"ann", b"{}")
    assert dict(first.headers)["ce_id"] == b"id-1"


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_partition_is_the_one_that_kafka_clients_choose(key: bytes, murmur2: int) -> None:
    """The hashes are those of Kafka's own UtilsTest."""
    assert partition_of(key, range(8)) == (murmur2 & 0x7FFFFFFF) % 8
