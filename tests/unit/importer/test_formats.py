"""Quirks 3, 4 and 5: the Format column."""

from __future__ import annotations

from typing import Any

import pytest

from services.importer.formats import CELL_LIMIT, read_formats, untorn


def entry(name: str, *descriptions: str, qty: int = 1, text: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "qty": qty}
    if descriptions:
        made["descriptions"] = list(descriptions)
    return made | ({"text": text} if text else {})


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ("LP", [entry("Vinyl", "LP")]),
        ("2xLP, Album, RE", [entry("Vinyl", "LP", "Album", "Reissue", qty=2)]),
        ('12", EP', [entry("Vinyl", '12"', "EP")]),
        ('10"', [entry("Vinyl", '10"')]),
        ('8x7", Album + Box, Ltd', [entry("Vinyl", '7"', "Album", qty=8), entry("Box Set", "Limited Edition")]),
        ("Cass", [entry("Cassette")]),
        ("Box, Comp + 3xCass, Album", [entry("Box Set", "Compilation"), entry("Cassette", "Album", qty=3)]),
        ("11xFile, FLAC, Album", [entry("File", "FLAC", "Album", qty=11)]),
        ("2xLP, Album + DVD-V", [entry("Vinyl", "LP", "Album", qty=2), entry("DVD", "DVD-Video")]),
        ('Shellac, 10", Mono', [entry("Shellac", '10"', "Mono")]),
        ('Flexi, 7", S/Sided', [entry("Flexi-disc", '7"', "Single Sided")]),
        (" LP , Album ", [entry("Vinyl", "LP", "Album")]),
    ],
)
def test_carriers_and_quantities(cell: str, entries: list[dict[str, Any]]) -> None:
    assert read_formats(cell) == (entries, [])


def test_a_last_part_without_carrier_describes_all() -> None:
    formats, remarks = read_formats("LP, Yel + LP, S/Sided, Etch, Yel + Album, Ltd")
    assert formats == [
        entry("Vinyl", "LP", "Album", "Limited Edition", text="Yel"),
        entry("Vinyl", "LP", "Single Sided", "Etched", "Album", "Limited Edition", text="Yel"),
    ]
    assert remarks == []


@pytest.mark.parametrize("cell", ["Comp + LP, Album + CD", "LP, Album + Comp + CD", "LP, Album + CD + All Media, Comp"])
def test_a_part_without_carrier_describes_all_wherever_it_stands(cell: str) -> None:
    formats, remarks = read_formats(cell)
    assert formats == [entry("Vinyl", "LP", "Album", "Compilation"), entry("CD", "Compilation")]
    assert remarks == []


@pytest.mark.parametrize("cell", ["Dlx", "Comp", "Album, RE, Mono"])
def test_a_cell_without_any_carrier_claims_none(cell: str) -> None:
    assert read_formats(cell) == ([], ["no carrier is named"])


@pytest.mark.parametrize(("cell", "part"), [("LP, Album + Sli", "Sli"), ("LP, Album + 2xAlbum", "2xAlbum")])
def test_a_part_that_names_neither_carrier_nor_description_is_reported(cell: str, part: str) -> None:
    assert read_formats(cell) == ([entry("Vinyl", "LP", "Album")], [f"{part!r} names no known carrier"])


@pytest.mark.parametrize(
    ("short", "spelled"),
    [
        ("RE", "Reissue"),
        ("RP", "Repress"),
        ("RM", "Remastered"),
        ("Comp", "Compilation"),
        ("Ltd", "Limited Edition"),
        ("Num", "Numbered"),
        ("Dlx", "Deluxe Edition"),
        ("S/Sided", "Single Sided"),
        ("W/Lbl", "White Label"),
        ("Smplr", "Sampler"),
        ("Unofficial", "Unofficial Release"),
        ("Promo", "Promo"),
        ("RSD", "Record Store Day"),
        ("Mono", "Mono"),
        ("Quad", "Quadraphonic"),
        ("Reissue", "Reissue"),
    ],
)
def test_abbreviations_are_spelled_out(short: str, spelled: str) -> None:
    assert read_formats(f"LP, {short}") == ([entry("Vinyl", "LP", spelled)], [])


@pytest.mark.parametrize("text", ["180", "Gat", "Blu", "Pit", '"Me'])
def test_free_text_stays_free_text(text: str) -> None:
    assert read_formats(f"LP, RE, {text}") == ([entry("Vinyl", "LP", "Reissue", text=text)], [])


@pytest.mark.parametrize(
    ("cell", "last", "torn"),
    [
        ("Box, Comp, Mono, Ltd, RE, RM, 180 + LP, Album, Mon", entry("Vinyl", "LP", "Album"), "the torn 'Mon' is left"),
        (
            "Box, Comp, Ltd, S/Edition + LP, Album, RE, Whi + 2",
            entry("Vinyl", "LP", "Album", "Reissue", text="Whi"),
            "'2'",
        ),
        ("LP, Red + LP, S/Sided, Etch, Red + Box, Mono + CD ", entry("Box Set", "Mono"), "the torn 'CD ' is left out"),
        (
            "CD, Album, RE, RM + CD, RM + DVD, Album, Quad, RE,",
            entry("DVD", "Album", "Quadraphonic", "Reissue"),
            "what follows",
        ),
        (
            "LP, 200 + LP, S/Sided, Etch, 200 + CD, Album, Num, ",
            entry("CD", "Album", "Numbered"),
            "what follows is not",
        ),
        (
            "LP, Album, Lav + LP, Album, Ora + Box, RE, Comp + ",
            entry("Box Set", "Reissue", "Compilation"),
            "what follows",
        ),
    ],
)
def test_the_torn_end_of_a_cut_cell_is_never_guessed(cell: str, last: dict[str, Any], torn: str) -> None:
    assert len(cell) >= CELL_LIMIT
    formats, (remark,) = read_formats(cell)
    assert torn in remark
    assert "may be incomplete" in remark
    assert formats[-1] == last


def test_a_cell_shorter_than_the_cut_is_whole() -> None:
    cell = "LP, Album, RE, RM, Whi + LP, Album, RE, RM, Ltd, Mo"[: CELL_LIMIT - 1]
    assert read_formats(cell)[1] == []


def test_a_cell_of_one_torn_piece_leaves_nothing() -> None:
    assert untorn("x" * CELL_LIMIT) == ("", "x" * CELL_LIMIT)


@pytest.mark.parametrize("cell", ["", "   ", ", ,", " + "])
def test_an_empty_cell_says_nothing(cell: str) -> None:
    assert read_formats(cell) == ([], [])
