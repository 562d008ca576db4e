"""`<label>`, `<artist>` and `<master>` of the dump: what they are called, and who is in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from contracts.ids import MAX_TEXT
from services.catalogue.elements import BadElement, id_of
from services.state.facts import FIRST_YEAR

if TYPE_CHECKING:
    from lxml.etree import _Element


class Label(NamedTuple):
    """A label's name."""

    label_id: int
    name: str


class Artist(NamedTuple):
    """An artist's name, and who is or was in it."""

    artist_id: int
    name: str
    members: list[int]


class Master(NamedTuple):
    """What the versions of a work have in common."""

    master_id: int
    title: str | None
    year: int | None


def label_of(element: _Element) -> Label:
    """The label in an element.

    Raises:  BadElement.
    """
    parts = {part.tag: part.text for part in element.iterchildren("id", "name")}
    return Label(id_of(parts.get("id")), _name(parts.get("name")))


def artist_of(element: _Element) -> Artist:
    """The artist in an element.

    Raises:  BadElement.
    """
    id_, name, members = None, None, []
    for part in element.iterchildren("id", "name", "members"):
        match part.tag:
            case "id":
                id_ = part.text
            case "name":
                name = part.text
            case _:
                members = [id_of(one.get("id")) for one in part.iterchildren("name") if one.get("id")]
    return Artist(id_of(id_), _name(name), list(dict.fromkeys(members)))


def master_of(element: _Element, latest_year: int) -> Master:
    """The master in an element; a year that cannot be is unknown.

    Raises:  BadElement.
    """
    master_id = id_of(element.get("id"))
    parts = {part.tag: part.text for part in element.iterchildren("title", "year")}
    written = parts.get("year") or ""
    year = int(written) if written.isascii() and written.isdigit() and len(written) == 4 else 0
    title = parts.get("title")
    return Master(master_id, title and _name(title), year if FIRST_YEAR <= year <= latest_year else None)


def _name(text: str | None) -> str:
    if text is None:
        raise BadElement("no name")
    if len(text) > MAX_TEXT:
        raise BadElement(f"a name of {len(text):,} characters; {MAX_TEXT:,} at most")
    return text
