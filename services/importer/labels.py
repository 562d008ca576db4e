"""An export's Label cell becomes the release's `labels`, where the split is certain.

Discogs joins the labels of a release with `, `, and a label's own name may contain `, ` as well, so a cell of several
pieces has several readings. A piece counts as a label only when the file proves it:

- it stands alone in a Label cell;
- its cell has as many pieces as the Catalog# cell has numbers. Each label entry has one number and at least one piece,
  and a number shared by entries is written once, so equal counts leave a single reading;
- it is followed by itself (`Capitol Records, Capitol Records`: one entry per catalogue number);
- Discogs' own numbering bounds it: `Glassnote (2), Goodbye Records (2)`, as a name ends with its number.

What nothing proves is not claimed: "labels" then holds the proven pieces, or is missing when there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from services.importer.formats import CELL_LIMIT

# Pieces that only ever end a company's name: "UMG Recordings, Inc.", "Cyhsy, Inc", "Source Experience, The".
_NAME_ENDING = re.compile(
    r"(?:inc|incorporated|ltd|limited|llc|l\.l\.c|llp|plc|corp|corporation|co|gmbh|ag|kg|s\.?a|b\.?v|n\.?v|s\.?r\.?l"
    r"|pty|ab|a/s|oy|the)\b\.?(?: ltd\.?)?(?: \(\d+\))?",
    re.IGNORECASE,
)
_NUMBERED_NAME = re.compile(r".*\S \(\d+\)")
_NO_NUMBER = "none"


def proven_labels(cells: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Every name that some (Label, Catalog#) pair of the file proves to be a label."""
    proven: set[str] = set()
    for label_cell, number_cell in cells:
        pieces = _pieces(label_cell)
        if len(pieces) == 1 or len(pieces) == len(_numbers(number_cell)):
            proven.update(pieces)
        proven.update(first for first, second in pairwise(pieces) if first == second)
        ends = [-1, *(i for i, piece in enumerate(pieces) if _NUMBERED_NAME.fullmatch(piece)), len(pieces) - 1]
        proven.update(pieces[end] for start, end in pairwise(ends) if end - start == 1)
    return frozenset(proven)


def read_labels(label_cell: str, number_cell: str, proven: frozenset[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The labels of a row without repeats, and one sentence if a piece could not be told to be a label.

    Shape:   entries {name, catno?}; catno only where it is certain which number belongs to the label.
    """
    pieces, numbers = _pieces(label_cell), _numbers(number_cell)
    entries: dict[str, dict[str, Any]] = {}
    doubtful: list[str] = []
    for position, piece in enumerate(pieces):
        if piece not in proven:
            doubtful.append(piece)
            continue
        number = ""
        if len(numbers) == 1:
            number = numbers[0]
        elif len(numbers) == len(pieces):
            number = numbers[position]
        entry = entries.setdefault(piece, {"name": piece})
        if number and number.casefold() != _NO_NUMBER:
            entry.setdefault("catno", number)
    if not doubtful:
        return list(entries.values()), []
    return list(entries.values()), [f"{', '.join(doubtful)!r} is one label or several: not claimed"]


def _pieces(cell: str) -> list[str]:
    """The cell cut at every `, ` but those in front of a name's ending."""
    pieces: list[str] = []
    for piece in (piece.strip() for piece in cell.split(", ")):
        if pieces and _NAME_ENDING.fullmatch(piece):
            pieces[-1] = f"{pieces[-1]}, {piece}"
        elif piece:
            pieces.append(piece)
    return pieces


def _numbers(cell: str) -> list[str]:
    """The catalogue numbers, each once; of a cut cell the torn last one stays as a placeholder that is no number."""
    numbers = [number.strip() for number in cell.split(", ") if number.strip()]
    if len(cell) >= CELL_LIMIT and numbers:
        numbers[-1] = _NO_NUMBER
    return numbers
