"""A CSV file becomes numbered rows, whoever exported it and whatever it has been through since.

Accepted: UTF-8 with or without a byte order mark, CRLF or LF, newlines inside quoted cells, columns in any order and
custom columns beside them. Three kinds of file are told apart by their header: a collection, a wantlist (no folder;
its header is one name short of its rows), and copies (`release_id,date_added,rating`, with or without `instance_id`).
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FileKind = Literal["collection", "wantlist", "copies"]
RemarkKind = Literal["bad line", "bad value", "not mapped"]

_ABOUT_RELEASE = ("Catalog#", "Artist", "Title", "Label", "Format", "Rating", "Released", "release_id")
REQUIRED: dict[FileKind, tuple[str, ...]] = {
    "collection": (*_ABOUT_RELEASE, "CollectionFolder", "Date Added"),
    "wantlist": _ABOUT_RELEASE,
    "copies": ("release_id", "date_added", "rating"),
}
_MAPPED = {
    *(name for names in REQUIRED.values() for name in names),
    *("Collection Media Condition", "Collection Sleeve Condition", "instance_id", "Date"),
}


class WrongFile(Exception):
    """The file is not there, or is no export: nothing of it can be read."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What the importer did not take as it stands in the file.

    kind:    "bad line": the line was skipped; "bad value": the line was taken without it; "not mapped": well formed,
             but it has no exact counterpart in an event.
    """

    line: int
    kind: RemarkKind
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line of the file on which it starts, and its cells by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """All readable records of a file, what was wrong with the others, and a digest of the bytes."""

    kind: FileKind
    rows: list[Row]
    remarks: list[Remark]
    digest: bytes


def read_file(path: Path, *, wantlist: bool = False) -> Table:
    """The table in the file at `path`.

    Raises:  WrongFile, naming the file and what is wrong with it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WrongFile(f"{path}: {error.strerror or error}") from error
    return read_table(content, name=str(path), wantlist=wantlist)


def read_table(content: bytes, *, name: str, wantlist: bool = False) -> Table:
    """The table in `content`; `wantlist` says that it is one, whatever the header looks like.

    Raises:  WrongFile, with `name` in front.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise WrongFile(f"{name}: is UTF-16; save it as UTF-8")
    # Bytes that are not UTF-8 survive as lone surrogates, so that only their own line is refused.
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    records = _records(text)
    header: list[str] = []
    for _, record in records:
        if isinstance(record, str):
            raise WrongFile(f"{name}:1: not a Discogs export: {record}")
        header = [column.strip() for column in record]
        break
    kind = _kind(header, name, wantlist)
    table = Table(kind, [], [], hashlib.blake2b(content, digest_size=16).digest())
    own = [column for column in header if column and column not in _MAPPED]
    if own:
        table.remarks.append(Remark(1, "not mapped", "header", f"columns without a counterpart: {', '.join(own)}"))
    for line, record in records:
        row = record if isinstance(record, str) else _cells(record, header, kind)
        if isinstance(row, str):
            table.remarks.append(Remark(line, "bad line", "line", row))
        else:
            table.rows.append(Row(line, row))
    return table


def _records(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the line it starts on; instead of one that cannot be read, why not."""
    # Only LF ends a line here: the reader itself takes CRLF, and a form feed inside a cell ends nothing.
    reader = csv.reader((line + "\n" for line in text.split("\n")), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = "a quoted cell is not closed" if "unexpected end" in str(error) else str(error)
            yield line, f"not CSV: {reason}"
            continue
        if any(cell.strip() for cell in record):
            yield line, record


def _kind(header: list[str], name: str, wantlist: bool) -> FileKind:
    """What the header says the file is.

    Raises:  WrongFile naming every column that is missing.
    """
    if not header:
        raise WrongFile(f"{name}: is empty, a header is expected")
    twice = [column for column, n in Counter(header).items() if column and n > 1]
    if twice:
        raise WrongFile(f"{name}:1: the header names a column twice: {', '.join(twice)}")
    names = set(header)
    kind: FileKind = "collection"
    if wantlist:
        kind = "wantlist"
    elif "date_added" in names and "Artist" not in names:
        kind = "copies"
    elif "Notes" in names and not any(column.startswith("Collection") for column in header):
        kind = "wantlist"
    needed = ("release_id",) if wantlist else REQUIRED[kind]
    missing = [column for column in needed if column not in names]
    if missing:
        raise WrongFile(f"{name}:1: not a Discogs {kind} export, the header lacks: {', '.join(missing)}")
    return kind


def _cells(record: list[str], header: list[str], kind: FileKind) -> dict[str, str] | str:
    """The record by column, or why it cannot be taken."""
    columns = header
    if kind == "wantlist" and len(record) == len(header) + 1:
        columns = [*header, "Date"]  # the field that a wantlist's header does not name
    if len(record) != len(columns):
        return f"{len(record)} fields where the header has {len(header)}"
    if any("\ud800" <= char <= "\udfff" for cell in record for char in cell):
        return "not UTF-8"
    if any("\0" in cell for cell in record):
        return "holds a NUL character"
    return dict(zip(columns, record, strict=True))
