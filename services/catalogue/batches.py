"""A dump file as batches: rows in the text format of COPY, and what was wrong with the others."""

from __future__ import annotations

import itertools
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

# Pieces in a batch: some 2,000 releases, 7,000 masters, 9,000 artists.
PIECES: Final[dict[Kind, int]] = {"release": 28, "master": 16, "artist": 8, "label": 8}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


Values = dict[tuple[str, str], None]


class Bad(msgspec.Struct, frozen=True):
    """An element that was left out."""

    line: int
    id: str | None
    why: str


class Batch(msgspec.Struct, frozen=True):
    """Some elements of a file, the last of several with one id.

    Shape:   `values` are the genres, styles … (facet, value) that no batch of this reader before had.
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


def batches(path: Path, as_of: date, start: Position | None = None, share: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
    """The file in batches, from `start` on, where it is the same up to there.

    Shape:   `share` (n, of): only batches n, n + of, n + 2 of …, so that several processes read one file.

    Raises:  NotADump; Broken after everything before the break was answered.
    """
    kind = kind_of(path)
    values: Values = {}
    row = _rows_of(kind, as_of.year + 1, values)
    found = pieces(path, start)
    number, of = share
    for turn in itertools.count():
        batch: _Begun | None = None
        for _ in range(PIECES[kind]):
            try:
                piece = next(found, None)
            except Broken:
                # What was read before counts.
                if batch is not None:
                    yield batch.done()
                raise
            if piece is None:
                break
            if turn % of == number:
                batch = batch or _Begun(kind, row, piece, values)
                batch.add(piece)
        else:
            if batch is not None:
                yield batch.done()
            continue
        if batch is not None:
            yield batch.done()
        return


class _Begun:
    """A batch that is being read."""

    def __init__(self, kind: Kind, row: Callable[[_Element], tuple[int, str]], first: Piece, values: Values) -> None:
        self._kind, self._row = kind, row
        self._values, self._told = values, len(values)
        self._begin = first.end.bytes - len(first.data)
        self._last = first
        self._lines: dict[int, str] = {}
        self._bad: list[Bad] = []
        self._elements = 0

    def add(self, piece: Piece) -> None:
        """The next piece."""
        self._last = piece
        for one in elements(self._kind, piece):
            self._elements += 1
            if isinstance(one, BadElement):
                self._bad.append(Bad(one.line, one.id, one.why))
                continue
            line, element = one
            try:
                id_, text = self._row(element)
            except BadElement as fault:
                self._bad.append(Bad(line, _id_in(self._kind, element), fault.why))
            else:
                self._lines[id_] = text

    def done(self) -> Batch:
        """The batch."""
        rows = "".join(self._lines.values()).encode()
        last, new = self._last, list(itertools.islice(self._values, self._told, None))
        return Batch(
            self._kind, rows, len(self._lines), self._elements, self._bad, new, self._begin, last.end, last.read
        )


def _rows_of(kind: Kind, latest_year: int, values: Values) -> Callable[[_Element], tuple[int, str]]:
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
