"""What the demo sends: valid, deterministic, one repeat, one malformed record, nothing that its licence forbids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from contracts.envelope import InvalidEvent, decode, encode_structured
from contracts.times import parse_time
from services.demo.data import composed_releases, copies, copies_facts
from services.demo.events import Malformed, demo_events

SENT_MS = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp() * 1000)


def sent() -> list[Mapping[str, Any]]:
    return [event for event in demo_events() if not isinstance(event, Malformed)]


def test_every_event_but_the_malformed_one_is_accepted() -> None:
    for event in sent():
        headers, value = encode_structured(
            **{name: event[name] for name in ("type", "id", "source", "subject", "data")},
            time=parse_time(event["time"]),
        )
        decode(event["type"], event["subject"].encode(), value, headers, SENT_MS)
    (malformed,) = [event for event in demo_events() if isinstance(event, Malformed)]
    with pytest.raises(InvalidEvent, match=r"schema.*data\.items\[0\]\.release\.id"):
        decode(malformed.topic, malformed.key, malformed.value, malformed.headers, SENT_MS)


def test_one_event_is_sent_twice_and_every_run_sends_the_same() -> None:
    repeated = [id_ for id_, times in Counter(event["id"] for event in sent()).items() if times > 1]
    assert len(repeated) == 1
    first, second = (event for event in sent() if event["id"] == repeated[0])
    assert first == second
    assert list(demo_events()) == list(demo_events())


def test_who_sends_how_much() -> None:
    added = Counter[str]()
    for event in sent():
        if event["type"] == "ownership.added":
            assert len(event["data"]["items"]) <= 100
            added[event["subject"]] += len(event["data"]["items"])
    assert added["collector-05"] == len(copies().rows) == 1853
    assert added["composed-01"] == len(composed_releases()) == 150


def test_facts_are_known_for_all_but_three_releases_and_unknown_ones_are_left_out() -> None:
    owned = {int(row.cells["release_id"]) for row in copies().rows}
    facts = copies_facts()
    assert owned - set(facts) == {10882729, 29214724, 31943833}
    for release in (*facts.values(), *composed_releases()):
        assert "have" not in release
        assert all(value not in (None, "", []) for value in release.values())
    assert not any({"formats", "master_id"} & set(release) for release in facts.values())


def test_the_composed_collection_is_broad() -> None:
    releases = composed_releases()
    masters = Counter(release["master_id"] for release in releases if "master_id" in release)
    assert max(masters.values()) >= 10
    assert len({genre for release in releases for genre in release.get("genres", ())}) == 15
    assert len({release["year"] // 10 for release in releases if "year" in release}) >= 6
    mono = [release for release in releases if any("Mono" in f.get("descriptions", ()) for f in release["formats"])]
    assert len(mono) >= 10


def test_every_file_names_its_origin() -> None:
    demo = files("deploy") / "demo"
    origin = (demo / "ORIGIN.md").read_text(encoding="utf-8")
    for file in demo.iterdir():
        if file.name != "ORIGIN.md":
            assert file.name in origin
