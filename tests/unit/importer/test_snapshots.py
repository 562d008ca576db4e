"""Real re-imports: 22 exports of one collection and 10 of its wantlist become what changed between them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.demo.data import snapshots
from services.importer.rows import read_copies, read_wishes
from services.importer.snapshots import collection_events, wantlist_events

USER = "collector-03"


def collection() -> list[dict[str, Any]]:
    return list(collection_events(snapshots("collection"), user=USER, source="test"))


def released(event: dict[str, Any], owned: dict[int, int]) -> set[int]:
    return {owned[item["instance_id"]] for item in event["data"]["items"]}


def test_after_each_snapshot_the_state_is_that_snapshot() -> None:
    exports = snapshots("collection")
    assert len(exports) == 22
    owned: dict[int, int] = {}
    ends = iter(exports)
    for event in collection():
        if event["type"] == "ownership.added":
            owned.update((item["instance_id"], item["release"]["id"]) for item in event["data"]["items"])
        elif event["type"] == "ownership.removed":
            for item in event["data"]["items"]:
                del owned[item["instance_id"]]
        else:
            export = next(ends)
            assert sorted(owned.values()) == sorted(int(row.cells["release_id"]) for row in export.table.rows)
            assert event["data"]["items_total"] == len(export.table.rows)
            items = read_copies(export.table.rows, USER).items
            assert set(owned) == {item["instance_id"] for item in items}
    assert next(ends, None) is None
    assert len(owned) == 68


def test_the_snapshots_that_lose_or_change_nothing() -> None:
    owned: dict[int, int] = {}
    changes: dict[str, Counter[str]] = {}
    lost: dict[str, set[int]] = {}
    for event in collection():
        day = event["time"]
        changes.setdefault(day, Counter())[event["type"]] += 1
        if event["type"] == "ownership.added":
            owned |= {item["instance_id"]: item["release"]["id"] for item in event["data"]["items"]}
        elif event["type"] == "ownership.removed":
            lost[day] = released(event, owned)
    by_number = dict(enumerate(changes.values(), 1))
    assert all(by_number[number] == {"collection.synced": 1} for number in (2, 16, 18))
    assert lost["2015-02-12T12:00:06Z"] >= {4895036}
    assert lost["2015-03-09T12:00:08Z"] >= {1062915, 1192092, 2600729}


def test_wishes_follow_the_wantlists() -> None:
    exports = snapshots("wantlist")
    assert len(exports) == 10
    wished: set[int] = set()
    for event in wantlist_events(exports, user=USER, source="test"):
        if event["type"] == "wishlist.added":
            assert not wished & set(event["data"]["release_ids"])
            wished.update(event["data"]["release_ids"])
        else:
            assert wished >= set(event["data"]["release_ids"])
            wished.difference_update(event["data"]["release_ids"])
    assert wished == set(read_wishes(exports[-1].table.rows)[0])
    assert len(wished) == 29


def test_ids_are_distinct_and_the_same_in_every_run() -> None:
    first = [event["id"] for event in collection()]
    assert len(set(first)) == len(first)
    assert first == [event["id"] for event in collection()]
