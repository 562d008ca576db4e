"""Pieces of a dump become elements; one that is not well-formed costs itself alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from contracts.ids import MAX_ID
from services.catalogue.dump import Kind, Piece, begins

if TYPE_CHECKING:
    from lxml.etree import _Element

# No document type was read, so no entity is known but XML's own; lxml bounds depth and length of text.
_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, collect_ids=False, remove_comments=True, remove_pis=True
)
_ID_IN_TAG: Final = re.compile(rb"""<\w+\s[^>]*?\bid\s*=\s*["']([^"'<>&]{1,40})["']""")
_ID_INSIDE: Final = re.compile(rb"<id>([^<>&]{1,40})</id>")
_PLACE: Final = re.compile(r",? line \d+.*", re.DOTALL)


class BadElement(Exception):
    """An element that cannot be loaded: says on which line it begins, its id as far as it has one, and why."""

    def __init__(self, why: str, line: int = 0, id: str | None = None) -> None:
        super().__init__(why)
        self.why, self.line, self.id = why, line, id


def elements(kind: Kind, piece: Piece) -> Iterator[tuple[int, _Element] | BadElement]:
    """Each element of the top level with its line, in order."""
    try:
        root = etree.fromstring(b"<all>" + piece.data + b"</all>", _PARSER)
    except etree.XMLSyntaxError:
        yield from _one_by_one(kind, piece)
        return
    before = piece.line - 1
    for element in root:
        line = before + cast(int, element.sourceline)
        yield (line, element) if element.tag == kind else BadElement(f"<{element.tag}> is no {kind}", line)


def number(text: str | None, what: str) -> int:
    """The number in a text.

    Raises:  BadElement where it is none, or none that an id can be.
    """
    if not text:
        raise BadElement(f"no {what}")
    if len(text) < 20 and text.isascii() and text.isdigit() and (found := int(text)) <= MAX_ID:
        return found
    raise BadElement(f"{what} {text[:40]!r} is no number from 0 to {MAX_ID}")


def id_of(text: str | None) -> int:
    """The id of an element.

    Raises:  BadElement where that cannot be one.
    """
    if not (found := number(text, "id")):
        raise BadElement("id 0 is none")
    return found


def _one_by_one(kind: Kind, piece: Piece) -> Iterator[tuple[int, _Element] | BadElement]:
    """The same for a piece that is not well-formed as a whole."""
    data = piece.data
    starts = begins(kind, data)
    if junk := data[: starts[0] if starts else len(data)].strip():
        yield BadElement(f"no {kind} begins with {junk[:40].decode('utf-8', 'replace')!r}", piece.line)
    line, last = piece.line, 0
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        line += data.count(b"\n", last, start)
        last = start
        try:
            root = etree.fromstring(b"<all>" + data[start:end] + b"</all>", _PARSER)
        except etree.XMLSyntaxError as error:
            found = (_ID_IN_TAG.match if kind in ("release", "master") else _ID_INSIDE.search)(data[start:end])
            why = " ".join(_PLACE.sub("", error.msg or "").split()) or "not well-formed"
            yield BadElement(why, line, found[1].decode("utf-8", "replace") if found else None)
        else:
            yield line, root[0]
