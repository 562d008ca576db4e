"""Quirks 6, 7, 8 and 10: years, second copies, names, dates; and what a row must not claim."""

from __future__ import annotations

from typing import Any

import pytest

from services.importer.rows import Copies, derived_instance, read_copies, read_wishes
from services.importer.table import Row

CELLS = {
    "Catalog#": "SP 1",
    "Artist": "Mudhoney",
    "Title": "Superfuzz",
    "Label": "Sub Pop",
    "Format": "LP, Mono",
    "Rating": "",
    "Released": "1988",
    "release_id": "101",
    "CollectionFolder": "Uncategorized",
    "Date Added": "2020-01-02 03:04:05",
}


def read(*changes: dict[str, str]) -> Copies:
    return read_copies([Row(number, CELLS | change) for number, change in enumerate(changes, 2)], "ann")


def one(**changes: str) -> dict[str, Any]:
    (item,) = read(changes).items
    return item


def test_a_row_becomes_a_copy() -> None:
    assert one() == {
        "instance_id": derived_instance("ann", 101, "2020-01-02 03:04:05", 1),
        "release": {
            "id": 101,
            "title": "Superfuzz",
            "year": 1988,
            "artists": [{"name": "Mudhoney"}],
            "labels": [{"name": "Sub Pop", "catno": "SP 1"}],
            "formats": [{"name": "Vinyl", "qty": 1, "descriptions": ["LP", "Mono"]}],
        },
        "added_at": "2020-01-02 03:04:05",
        "folder_id": 1,
    }


def test_what_the_row_does_not_know_stays_out() -> None:
    blank = dict.fromkeys(CELLS, "") | {"release_id": "101", "Released": "0"}
    item = one(**blank)
    assert item["release"] == {"id": 101}
    assert set(item) == {"instance_id", "release"}


@pytest.mark.parametrize(
    ("written", "year"), [("1988", 1988), ("0", None), ("", None), (" 1988 ", 1988), ("1988-05-00", 1988)]
)
def test_released(written: str, year: int | None) -> None:
    assert one(Released=written)["release"].get("year") == year


@pytest.mark.parametrize(
    ("column", "written", "field"),
    [
        ("Released", "199x", "year"),
        ("Rating", "6", "rating"),
        ("Date Added", "yesterday", "added_at"),
        ("Title", "x" * 4001, "title"),
    ],
)
def test_a_wrong_value_is_left_out_and_reported(column: str, written: str, field: str) -> None:
    copies = read({column: written})
    (item,) = copies.items
    assert field not in item
    assert field not in item["release"]
    assert [(remark.line, remark.kind, remark.field) for remark in copies.remarks] == [(2, "bad value", column)]


@pytest.mark.parametrize(("written", "rating"), [("", None), ("0", None), ("1", 1), ("5", 5)])
def test_rating(written: str, rating: int | None) -> None:
    assert one(Rating=written).get("rating") == rating


def test_two_copies_of_a_release_are_two_copies() -> None:
    copies = read({}, {"Date Added": "2021-01-01 00:00:00"}, {})
    assert len({item["instance_id"] for item in copies.items}) == 3


def test_the_derived_instance_depends_on_nothing_else_in_the_file() -> None:
    alone = one(release_id="7")["instance_id"]
    among = read({}, {"release_id": "7", "Title": "another spelling"}, {}).items[1]["instance_id"]
    assert alone == among
    assert alone != read_copies([Row(2, CELLS | {"release_id": "7"})], "bob").items[0]["instance_id"]
    assert 1 <= alone < 2**63


def test_names_are_trimmed_and_keep_their_number() -> None:
    item = one(Artist=" Worm (23) ", Title=" Mr. Isaacs ", **{"Catalog#": "none"})
    assert item["release"]["artists"] == [{"name": "Worm (23)"}]
    assert item["release"]["title"] == "Mr. Isaacs"
    assert item["release"]["labels"] == [{"name": "Sub Pop"}]


def test_joined_artists_are_one_entry_without_id() -> None:
    assert one(Artist="Brian Eno, David Byrne")["release"]["artists"] == [{"name": "Brian Eno, David Byrne"}]


def test_conditions_where_the_account_has_them() -> None:
    item = one(**{"Collection Media Condition": "Near Mint (NM or M-)", "Collection Sleeve Condition": ""})
    assert item["media_condition"] == "Near Mint (NM or M-)"
    assert "sleeve_condition" not in item


def test_a_folder_of_the_users_own_has_no_known_number() -> None:
    copies = read({"CollectionFolder": "Loft"})
    assert "folder_id" not in copies.items[0]
    assert [remark.kind for remark in copies.remarks] == ["not mapped"]


@pytest.mark.parametrize("written", ["", "abc", "0", "-1", "1.5", "９", str(2**63), "1" * 400])
def test_a_line_without_a_release_is_skipped_and_named(written: str) -> None:
    copies = read({}, {"release_id": written}, {"release_id": "7"})
    assert [item["release"]["id"] for item in copies.items] == [101, 7]
    assert [(remark.line, remark.kind, remark.field) for remark in copies.remarks] == [(3, "bad line", "release_id")]


def test_the_short_forms() -> None:
    short = {"release_id": "10", "date_added": "2026-08-10", "rating": "5"}
    (item,) = read_copies([Row(2, short)], "ann").items
    assert item == {
        "instance_id": derived_instance("ann", 10, "2026-08-10", 1),
        "release": {"id": 10},
        "added_at": "2026-08-10",
        "rating": 5,
    }
    full = {"instance_id": "1809930107", "release_id": "10", "date_added": "2024-10-14T11:23:53-07:00", "rating": "0"}
    assert read_copies([Row(2, full)], "ann").items == [
        {"instance_id": 1809930107, "release": {"id": 10}, "added_at": "2024-10-14T11:23:53-07:00"}
    ]
    bad = read_copies([Row(2, full | {"instance_id": ""})], "ann")
    assert (bad.items, [remark.field for remark in bad.remarks]) == ([], ["instance_id"])


def test_wishes_are_a_set() -> None:
    wishes, remarks = read_wishes(
        [Row(2, {"release_id": "5"}), Row(3, {"release_id": "x"}), Row(4, {"release_id": "5"})]
    )
    assert wishes == [5]
    assert [remark.line for remark in remarks] == [3]
