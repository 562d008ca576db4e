"""A file becomes pages that every decoder accepts and that a second import repeats exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.envelope import decode, encode_structured
from contracts.times import parse_time
from services.importer import events as module
from services.importer.events import Import, plan_import
from services.importer.table import read_table

HEADER = "Catalog#,Artist,Title,Label,Format,Rating,Released,release_id,CollectionFolder,Date Added"
TIME = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def collection(rows: int, title: str = "T") -> bytes:
    lines = [f"C {n},A,{title},L,LP,,1990,{n},Uncategorized,2020-01-02 03:04:05" for n in range(1, rows + 1)]
    return "\n".join([HEADER, *lines]).encode()


def plan(content: bytes, *, user: str = "ann", page_items: int = 100, time: datetime = TIME, **options: Any) -> Import:
    table = read_table(content, name="a.csv", **options)
    return plan_import(table, user=user, source="test", time=time, page_items=page_items)


def accepted(event: dict[str, Any]) -> Any:
    headers, value = encode_structured(
        **{name: event[name] for name in ("type", "id", "source", "subject", "data")}, time=parse_time(event["time"])
    )
    now_ms = int(TIME.timestamp() * 1000)
    return decode(event["type"], event["subject"].encode(), value, headers, now_ms).data


def test_a_collection_becomes_pages_and_the_end_of_a_sync() -> None:
    made = plan(collection(250))
    assert [event["type"] for event in made.events] == ["ownership.added"] * 3 + ["collection.synced"]
    assert [len(accepted(event).items) for event in made.events[:3]] == [100, 100, 50]
    assert accepted(made.events[3]).items_total == 250
    assert {event["subject"] for event in made.events} == {"ann"}
    assert {event["time"] for event in made.events} == {"2024-05-06T07:08:09Z"}
    assert (made.rows, made.taken, made.releases, made.faults) == (250, 250, 250, 0)


def test_a_wantlist_becomes_wishes_and_no_sync() -> None:
    content = b"Catalog#,Artist,Title,Label,Format,Rating,Released,release_id,Notes\n" + b"".join(
        b"C,A,T,L,LP,,1990,%d,,2020-01-02 03:04:05\n" % n for n in range(1, 121)
    )
    made = plan(content)
    assert [event["type"] for event in made.events] == ["wishlist.added"] * 2
    assert [len(accepted(event).release_ids) for event in made.events] == [100, 20]


def test_a_file_without_rows_sends_nothing() -> None:
    assert plan(HEADER.encode()).events == []


def test_the_same_file_again_has_the_same_ids_and_data() -> None:
    first, again = plan(collection(150)), plan(collection(150), time=datetime(2025, 1, 1, tzinfo=UTC))
    assert [(event["id"], event["data"]) for event in first.events] == [
        (event["id"], event["data"]) for event in again.events
    ]


def test_another_file_user_or_page_size_has_other_ids_and_the_same_copies() -> None:
    first = plan(collection(150))
    for other in (plan(collection(150, title="U")), plan(collection(150), page_items=50)):
        assert not {event["id"] for event in first.events} & {event["id"] for event in other.events}
        assert instances(first) == instances(other)
    other_user = plan(collection(150), user="bob")
    assert not {event["id"] for event in first.events} & {event["id"] for event in other_user.events}
    assert not set(instances(first)) & set(instances(other_user))


def test_ids_are_distinct_within_an_import() -> None:
    made = plan(collection(150))
    assert len({event["id"] for event in made.events}) == 3


def test_a_page_ends_before_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_BYTES", 1_000)
    made = plan(collection(20, title="x" * 300))
    pages = [event for event in made.events if event["type"] == "ownership.added"]
    assert len(pages) > 5
    assert [item["release"]["id"] for page in pages for item in page["data"]["items"]] == list(range(1, 21))


def instances(made: Import) -> list[int]:
    return [item["instance_id"] for event in made.events for item in event["data"].get("items", ())]
