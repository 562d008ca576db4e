"""Quirks 1, 8 and 9: headers, quoting, encoding, line ends; and files that are no exports."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.importer.table import Table, WrongFile, read_file, read_table

HEADER = "Catalog#,Artist,Title,Label,Format,Rating,Released,release_id,CollectionFolder,Date Added"
ROW = "SP 1,Mudhoney,Superfuzz,Sub Pop,LP,,1988,101,Uncategorized,2020-01-02 03:04:05"
WANTED = "Catalog#,Artist,Title,Label,Format,Rating,Released,release_id,Notes"
WISH = "SP 1,Mudhoney,Superfuzz,Sub Pop,LP,,1988,101,,2020-01-02 03:04:05"


def table(*lines: str, end: str = "\n", wantlist: bool = False) -> Table:
    return read_table((end.join(lines) + end).encode(), name="a.csv", wantlist=wantlist)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_either_line_end(end: str) -> None:
    read = table(HEADER, ROW, end=end)
    assert [row.line for row in read.rows] == [2]
    assert read.rows[0].cells["Date Added"] == "2020-01-02 03:04:05"


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert read_table(b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}\n".encode(), name="a.csv").rows[0].cells["Catalog#"] == "SP 1"


def test_custom_columns_are_named_once_and_conditions_may_be_missing() -> None:
    read = table(f"{HEADER},Collection Purchased At,Collection Color", f"{ROW},Amoeba,Teal")
    assert [remark.text for remark in read.remarks] == [
        "columns without a counterpart: Collection Purchased At, Collection Color"
    ]
    assert read.rows[0].cells["release_id"] == "101"


def test_columns_in_another_order() -> None:
    read = table(
        "release_id,Date Added,CollectionFolder,Released,Rating,Format,Label,Title,Artist,Catalog#", "7,,,,,,,T,,"
    )
    assert (read.rows[0].cells["release_id"], read.rows[0].cells["Title"]) == ("7", "T")


def test_a_newline_inside_a_note_does_not_shift_line_numbers() -> None:
    read = table(f"{HEADER},Collection Notes", f'{ROW},"one\ntwo"', f"{ROW},")
    assert [row.line for row in read.rows] == [2, 4]
    assert read.rows[0].cells["Collection Notes"] == "one\ntwo"


def test_doubled_quotes() -> None:
    assert table(HEADER, ROW.replace(",LP,", ',"12""",')).rows[0].cells["Format"] == '12"'


def test_the_wantlists_short_header() -> None:
    short = table(WANTED, WISH)
    repaired = table(f"{WANTED},Date", WISH)
    assert short.kind == repaired.kind == "wantlist"
    assert short.rows == repaired.rows
    assert short.rows[0].cells["Date"] == "2020-01-02 03:04:05"


def test_kinds_are_told_by_the_header() -> None:
    assert table(HEADER, ROW).kind == "collection"
    assert table("release_id,date_added,rating", "1,2020-01-01,0").kind == "copies"
    assert table("instance_id,release_id,date_added,rating", "5,1,2020-01-01,0").kind == "copies"
    assert table(HEADER, ROW, wantlist=True).kind == "wantlist"


def test_blank_lines_are_no_rows() -> None:
    read = table(HEADER, "", ROW, ",,,,,,,,,", "")
    assert [row.line for row in read.rows] == [3]
    assert read.remarks == []


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([HEADER.replace("Artist,", "").replace(",Date Added", "")], "header lacks: Artist, Date Added"),
        ([HEADER.replace(",CollectionFolder", "")], "header lacks: CollectionFolder"),
        (["release_id,date_added"], "header lacks: rating"),
        (["a,b", "1,2"], "header lacks: Catalog#"),
        ([f"{HEADER},Artist"], "names a column twice: Artist"),
        (['"Catalog#'], "not a Discogs export"),
    ],
)
def test_a_wrong_header_is_refused_with_the_reason(lines: list[str], reason: str) -> None:
    with pytest.raises(WrongFile, match=f"^a.csv:1: .*{reason}"):
        table(*lines)


def test_empty_and_utf16_files_are_refused() -> None:
    with pytest.raises(WrongFile, match=r"a.csv: is empty"):
        read_table(b"", name="a.csv")
    with pytest.raises(WrongFile, match=r"a.csv: is UTF-16"):
        read_table(HEADER.encode("utf-16"), name="a.csv")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match=r"none\.csv: No such file"):
        read_file(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"too,few", "2 fields where the header has 10"),
        (ROW.encode() + b",more", "11 fields"),
        (ROW.encode().replace(b"Mudhoney", b"M\xfcller"), "not UTF-8"),
        (ROW.encode().replace(b"Mudhoney", b"M\0"), "NUL"),
        (ROW.encode().replace(b"Mudhoney", b'"M"x'), "not CSV"),
    ],
)
def test_a_bad_line_is_named_and_its_neighbours_are_read(line: bytes, reason: str) -> None:
    read = read_table(b"\n".join([HEADER.encode(), ROW.encode(), line, ROW.encode()]), name="a.csv")
    assert [row.line for row in read.rows] == [2, 4]
    (remark,) = read.remarks
    assert (remark.line, remark.kind) == (3, "bad line")
    assert reason in remark.text


def test_a_quote_that_is_never_closed_is_named_where_it_opens() -> None:
    read = table(HEADER, ROW, ROW.replace("Mudhoney", '"Mudhoney'))
    assert [row.line for row in read.rows] == [2]
    assert [(remark.line, remark.text) for remark in read.remarks] == [(3, "not CSV: a quoted cell is not closed")]
