"""Quirk 2: several labels and catalogue numbers in one cell, joined by what their names may contain."""

from __future__ import annotations

from typing import Any

import pytest

from services.importer.labels import proven_labels, read_labels


def read(label: str, number: str = "", *others: tuple[str, str]) -> tuple[list[dict[str, Any]], list[str]]:
    return read_labels(label, number, proven_labels([(label, number), *others]))


@pytest.mark.parametrize(
    ("label", "number", "entries"),
    [
        ("Sub Pop", "SP 1", [{"name": "Sub Pop", "catno": "SP 1"}]),
        ("Sub Pop", "", [{"name": "Sub Pop"}]),
        ("Sub Pop ", " SP 1 ", [{"name": "Sub Pop", "catno": "SP 1"}]),
        ("Not On Label", "none", [{"name": "Not On Label"}]),
        ("Wing Records", "WL.1211, WL 1211", [{"name": "Wing Records"}]),
        ("Capitol Records, Capitol Records", "ST 1, B-2", [{"name": "Capitol Records", "catno": "ST 1"}]),
        (
            "Interscope Records, Interscope Records, Nothing Records, Nothing Records, TVT Records, TVT Records",
            "92346-4, 7 92346-4",
            [{"name": "Interscope Records"}, {"name": "Nothing Records"}, {"name": "TVT Records"}],
        ),
        (
            "Anti-, Lady Pilot",
            "87291-1, LP 2",
            [{"name": "Anti-", "catno": "87291-1"}, {"name": "Lady Pilot", "catno": "LP 2"}],
        ),
        ("Beggars, Rough Trade", "X 1, none", [{"name": "Beggars", "catno": "X 1"}, {"name": "Rough Trade"}]),
        (
            "Glassnote (2), Goodbye (2)",
            "G",
            [{"name": "Glassnote (2)", "catno": "G"}, {"name": "Goodbye (2)", "catno": "G"}],
        ),
    ],
)
def test_a_split_that_is_certain_is_made(label: str, number: str, entries: list[dict[str, Any]]) -> None:
    assert read(label, number) == (entries, [])


@pytest.mark.parametrize(
    "label",
    [
        "UMG Recordings, Inc.",
        "Cyhsy, Inc",
        "P.W. Elverum & Sun, Ltd.",
        "LD Music, LLC",
        "Capitol Records, Inc. (2)",
        "Source Experience, The",
    ],
)
def test_the_ending_of_a_company_name_is_no_label(label: str) -> None:
    assert read(label, "1") == ([{"name": label, "catno": "1"}], [])
    assert read(f"{label}, Sub Pop", "1, 2")[0] == [{"name": label, "catno": "1"}, {"name": "Sub Pop", "catno": "2"}]


def test_a_split_that_nothing_proves_is_reported_and_not_made() -> None:
    assert read("Vinyl Me, Please", "VMP-006") == ([], ["'Vinyl Me, Please' is one label or several: not claimed"])


def test_other_rows_of_the_file_prove_labels() -> None:
    entries, doubts = read("Columbia, Sony Music", "1", ("Columbia", "2"), ("Sony Music", "3"))
    assert entries == [{"name": "Columbia", "catno": "1"}, {"name": "Sony Music", "catno": "1"}]
    assert doubts == []


def test_what_is_proven_beside_a_doubt_is_kept() -> None:
    entries, doubts = read("Columbia, Vinyl Me, Please", "1", ("Columbia", "2"))
    assert entries == [{"name": "Columbia", "catno": "1"}]
    assert doubts == ["'Vinyl Me, Please' is one label or several: not claimed"]


def test_a_number_torn_at_the_cut_is_no_number() -> None:
    numbers = "DEMRECBOX49X, DEMREC735, DEMREC761, DEMREC736, DEM"
    assert len(numbers) == 50
    entries, _ = read("A, B, C, D, E", numbers)
    assert [label.get("catno") for label in entries] == ["DEMRECBOX49X", "DEMREC735", "DEMREC761", "DEMREC736", None]


def test_no_label_says_nothing() -> None:
    assert read("", "") == ([], [])
