"""An export's Format cell becomes the release's `formats`.

`2xLP, Album, RE + CD` names carriers joined by ` + `, each followed by its descriptions. A part that names no carrier
is what Discogs calls "All Media": it describes every carrier of the cell. Words that are not descriptions are free
text, shortened by Discogs to three letters; they are kept as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from services.importer.format_words import ALL_MEDIA, CARRIERS, DESCRIPTIONS

CELL_LIMIT = 50
"""Characters after which Discogs cuts the Format and the Catalog# cell."""

_QUANTITY = re.compile(r"(\d{1,4}) ?[x×] ?(.+)")


@dataclass(slots=True)
class _Part:
    """One ` + ` part: what it is on, and what is said of it."""

    name: str
    quantity: int
    descriptions: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def describe(self, pieces: list[str]) -> None:
        for piece in pieces:
            known = DESCRIPTIONS.get(piece)
            kept, said = (self.text, piece) if known is None else (self.descriptions, known)
            if said not in kept:
                kept.append(said)

    def entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": self.name, "qty": self.quantity}
        if self.descriptions:
            entry["descriptions"] = self.descriptions
        if self.text:
            entry["text"] = ", ".join(self.text)
        return entry


def read_formats(cell: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The carriers that `cell` names, and one sentence for each thing in it that could not be read.

    Shape:   entries {name, qty, descriptions?, text?}; an empty list means "not known", never "none".
    """
    remarks: list[str] = []
    if len(cell) >= CELL_LIMIT:
        cell, torn = untorn(cell)
        what = f"the torn {torn!r} is left out" if torn else "what follows is not known"
        remarks.append(f"cut at {CELL_LIMIT} characters, {what}; the formats may be incomplete")
    carriers: list[_Part] = []
    shared: list[list[str]] = []
    for written in re.split(r"\s\+(?:\s|$)", cell):
        pieces = [piece for piece in (piece.strip() for piece in written.split(",")) if piece]
        if not pieces:
            continue
        quantity, word = _leading(pieces[0])
        if word in CARRIERS:
            name, implied = CARRIERS[word]
            carriers.append(_Part(name, quantity or 1, list(implied)))
            carriers[-1].describe(pieces[1:])
        elif quantity is None and word == ALL_MEDIA:
            shared.append(pieces[1:])
        elif quantity is None and word in DESCRIPTIONS:
            shared.append(pieces)
        else:
            remarks.append(f"{written.strip()!r} names no known carrier")
    if shared and not carriers:
        remarks.append("no carrier is named")
    for carrier in carriers:
        for pieces in shared:
            carrier.describe(pieces)
    return [carrier.entry() for carrier in carriers], remarks


def untorn(cell: str) -> tuple[str, str]:
    """A cell that was cut, without its last piece unless a separator proves that piece complete; and the piece."""
    for separator in (", ", " + ", ",", " +"):
        if cell.endswith(separator):
            return cell.removesuffix(separator), ""
    cut = max(cell.rfind(", "), cell.rfind(" + "))
    return (cell[:cut], cell[cut:].lstrip(", +")) if cut >= 0 else ("", cell)


def _leading(piece: str) -> tuple[int | None, str]:
    """The quantity in front of a part's first word (None: not written), and the word."""
    match = _QUANTITY.fullmatch(piece)
    return (int(match[1]), match[2]) if match else (None, piece)
