"""What the demo sends, as messages, and how it is cut so that every run earns the same."""

from __future__ import annotations

import json

from contracts.envelope import InvalidEvent, decode
from services.demo.sending import METRIC_OF, Sendable, sendables, unmixed
from services.kafka import Outgoing

NOW_MS = 4_000_000_000_000


def test_all_but_one_message_is_an_event_and_one_repeats_another() -> None:
    refused, seen = [], []
    for event in sendables(str):
        headers = [(name, value or b"") for name, value in event.message.headers]
        try:
            found = decode(event.type, event.message.key, event.message.value, headers, NOW_MS)
            seen.append((found.source, found.id))
            assert found.subject == event.user
        except InvalidEvent as invalid:
            refused.append(invalid.stage)
    assert refused == ["schema"]
    assert len(seen) == len(set(seen)) + 1


def test_topics_have_the_prefix() -> None:
    assert {event.message.topic for event in sendables(lambda name: f"p.{name}")} == {
        f"p.{event.type}" for event in sendables(str)
    }


def made(*types: str) -> list[Sendable]:
    return [Sendable(type_, "u", Outgoing(type_, b"u", json.dumps(at).encode(), [])) for at, type_ in enumerate(types)]


def test_a_group_ends_before_another_topic_acts_on_the_same_metric() -> None:
    events = made(
        "ownership.added",
        "review.approved",
        "wishlist.added",
        "ownership.added",
        "ownership.removed",
        "ownership.added",
    )
    groups = [[event.type for event in group] for group in unmixed(events)]
    assert groups == [
        ["ownership.added", "review.approved", "wishlist.added", "ownership.added"],
        ["ownership.removed"],
        ["ownership.added"],
    ]


def test_no_event_is_lost_or_moved() -> None:
    events = list(sendables(str))
    groups = list(unmixed(events))
    assert [event for group in groups for event in group] == events
    for group in groups:
        topics: dict[str, set[str]] = {}
        for event in group:
            topics.setdefault(METRIC_OF.get(event.type, event.type), set()).add(event.type)
        assert all(len(types) == 1 for types in topics.values())
