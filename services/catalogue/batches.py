"""A dump file as batches: rows in the text format of COPY, and what was wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from services.catalogue.dump import Broken, Kind, Piece, Position, kind_of, pieces
from services.catalogue.elements import BadElement, elements
from services.catalogue.names import Artist, Label, Master, artist_of, label_of, master_of
from services.catalogue.releases import DumpedRelease, release_of
from services.state.facets import bounded_values
from services.state.facts import digest

if TYPE_CHECKING:
    from lxml.etree import _Element

ROWS: Final[dict[Kind, int]] = {"release": 2_000, "master": 10_000, "artist": 10_000, "label": 10_000}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Bad(msgspec.Struct, frozen=True):
    """An element that was left out."""

    line: int
    id: str | None
    why: str


class Batch(msgspec.Struct, frozen=True):
    """Some elements of a file, the last of several with one id.

    Shape:   `values` are the genres, styles … (facet, value) that no batch before had.
    Units:   `begin` and `end` are bytes of XML, `read` bytes of the file.
    """

    kind: Kind
    rows: bytes
    count: int
    elements: int
    bad: list[Bad]
    values: list[tuple[str, str]]
    begin: int
    end: Position
    read: int


def batches(path: Path, as_of: date, start: Position | None = None) -> Iterator[Batch]:
    """The file in batches, from `start` on, where it is the same up to there.

    Raises:  NotADump; Broken after everything before the break was answered.
    """
    kind = kind_of(path)
    values: dict[tuple[str, str], None] = {}
    row = _rows_of(kind, as_of.year + 1, values)
    told = 0
    lines: dict[int, str] = {}
    bad: list[Bad] = []
    seen = begin = 0
    last: Piece | None = None

    def batch(last: Piece) -> Batch:
        rows, new = "".join(lines.values()).encode(), list(values)[told:]
        return Batch(kind, rows, len(lines), seen, bad, new, begin, last.end, last.read)

    broken: Broken | None = None
    found = pieces(path, start)
    while True:
        try:
            piece = next(found, None)
        except Broken as fault:
            # What was read before counts.
            broken = fault
            break
        if piece is None:
            break
        if last is None:
            begin = piece.end.bytes - len(piece.data)
        for one in elements(kind, piece):
            seen += 1
            if isinstance(one, BadElement):
                bad.append(Bad(one.line, one.id, one.why))
                continue
            line, element = one
            try:
                id_, text = row(element)
            except BadElement as fault:
                bad.append(Bad(line, _id_in(kind, element), fault.why))
            else:
                lines[id_] = text
        last = piece
        if len(lines) >= ROWS[kind]:
            yield batch(last)
            lines, bad, seen, last, told = {}, [], 0, None, len(values)
    if last is not None:
        yield batch(last)
    if broken is not None:
        raise broken


def _rows_of(
    kind: Kind, latest_year: int, values: dict[tuple[str, str], None]
) -> Callable[[_Element], tuple[int, str]]:
    def noted(one: DumpedRelease) -> DumpedRelease:
        values.update(dict.fromkeys(bounded_values(one.facts)))
        return one

    match kind:
        case "release":
            return lambda element: _release(noted(release_of(element, latest_year)))
        case "master":
            return lambda element: _master(master_of(element, latest_year))
        case "artist":
            return lambda element: _artist(artist_of(element))
        case "label":
            return lambda element: _label(label_of(element))


def _release(one: DumpedRelease) -> tuple[int, str]:
    content = one.facts.content
    name, text = digest(content).hex(), content.decode().replace("\\", "\\\\")
    people = "\\N" if one.people is None else _array(one.people)
    return one.release_id, (
        f"{one.release_id}\t\\\\x{name}\t{text}\t{one.master_id or NULL}\t{one.issued or NULL}\t"
        f"{'t' if one.reissue else 'f'}\t{people}\t{_array(one.labels)}\t{_array(one.artists)}\n"
    )


def _master(one: Master) -> tuple[int, str]:
    title = NULL if one.title is None else one.title.translate(_ESCAPES)
    return one.master_id, f"{one.master_id}\t{title}\t{one.year or NULL}\n"


def _artist(one: Artist) -> tuple[int, str]:
    return one.artist_id, f"{one.artist_id}\t{one.name.translate(_ESCAPES)}\t{_array(one.members)}\n"


def _label(one: Label) -> tuple[int, str]:
    return one.label_id, f"{one.label_id}\t{one.name.translate(_ESCAPES)}\n"


NULL: Final = "\\N"


def _array(ids: list[int]) -> str:
    return f"{{{','.join(map(str, ids))}}}"


def _id_in(kind: Kind, element: Any) -> str | None:
    found: str | None = element.get("id") if kind in ("release", "master") else element.findtext("id")
    return found[:40] if found else None
