"""A `<release>` of the dump becomes facts and what the catalogue keeps beside them.

Shape:   an element that is absent, and a text that is empty, is unknown; an empty list (`<styles/>`) is a statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from contracts.ids import MAX_TEXT
from services.catalogue.elements import BadElement, id_of, number
from services.catalogue.people import HUBS, is_compilation, joined
from services.catalogue.roles import makes_music
from services.state.dates import issued, reissue
from services.state.facets import NOT_A_LABEL
from services.state.facts import FIRST_YEAR, Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.etree import _Element

LARGEST_FACTS: Final = 1_000_000  # bytes, as of a record that describes a release

WANTED: Final = (
    *("title", "artists", "labels", "extraartists", "formats", "genres", "styles", "country", "released"),
    *("master_id", "tracklist"),
)

Linked = tuple[tuple[int | None, str], ...]


class DumpedRelease(NamedTuple):
    """What the dump says of a release; `labels` and `artists` are those that count, each once."""

    release_id: int
    facts: Facts
    people: list[int] | None
    labels: list[int]
    artists: list[int]

    @property
    def master_id(self) -> int | None:
        """The master, if there is one."""
        return self.facts.master_id or None

    @property
    def issued(self) -> str | None:
        """The date of issue as far as it is known."""
        return issued(self.facts.released, self.facts.year)

    @property
    def reissue(self) -> bool:
        """Whether it says that it came out before."""
        return reissue(self.facts.formats)


def release_of(element: _Element, latest_year: int) -> DumpedRelease:
    """The release in an element; years after `latest_year` cannot be.

    Raises:  BadElement.
    """
    release_id = id_of(element.get("id"))
    parts = {child.tag: child for child in element.iterchildren(*WANTED)}
    artists: Linked | None = None
    main: list[int] = []
    if (billed := parts.get("artists")) is not None:
        artists = tuple(_artists(billed))
        main = [id_ for id_, _ in artists if id_]
    labels: Linked | None = None
    if (issuing := parts.get("labels")) is not None:
        labels = tuple([(_linked(one.get("id")), one.get("name") or "") for one in issuing])
    formats: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    if (carriers := parts.get("formats")) is not None:
        formats = tuple([(one.get("name") or "", _texts(one.iter("description"))) for one in carriers])
    master = _text(parts.get("master_id"))
    facts = Facts(
        title=_text(parts.get("title")),
        master_id=number(master, "master_id") if master else None,
        released=_possible(_text(parts.get("released")), latest_year),
        country=_text(parts.get("country")),
        artists=artists,
        labels=labels,
        formats=formats,
        genres=None if (genres := parts.get("genres")) is None else _texts(genres),
        styles=None if (styles := parts.get("styles")) is None else _texts(styles),
    )
    if len(facts.content) > MAX_TEXT:
        _check(facts)
    credits, tracks = parts.get("extraartists"), parts.get("tracklist")
    descriptions = (one for _, several in formats or () for one in several)
    if is_compilation(main, descriptions):
        # Who is credited for some of the tracks did not meet those of the others.
        credited = [] if credits is None else _credited_throughout(credits)
    else:
        credited = [id_ for part in (credits, tracks) if part is not None for id_ in _credited(part)]
    return DumpedRelease(
        release_id,
        facts,
        joined(main, credited),
        list(dict.fromkeys(id_ for id_, name in labels or () if id_ and not name.startswith(NOT_A_LABEL))),
        list(dict.fromkeys(id_ for id_ in main if id_ not in HUBS)),
    )


def _text(part: _Element | None) -> str | None:
    """What stands in an element; None where nothing does."""
    return None if part is None else part.text or None


def _texts(parts: Iterable[_Element]) -> tuple[str, ...]:
    return tuple([part.text or "" for part in parts])


def _linked(text: str | None) -> int | None:
    """The id of an artist or a label; None where Discogs links none."""
    return (number(text, "id") or None) if text else None


def _possible(released: str | None, latest_year: int) -> str | None:
    """The date as written, '' where its year cannot be: what `state_of` makes of it."""
    if not released:
        return None
    for start in range(len(released) - 3):
        year = released[start : start + 4]
        if year.isascii() and year.isdigit():
            return released if FIRST_YEAR <= int(year) <= latest_year else ""
    return ""


def _artists(billed: _Element) -> Iterator[tuple[int | None, str]]:
    for artist in billed:
        id_, name = None, ""
        for part in artist.iterchildren("id", "name"):
            if part.tag == "id":
                id_ = _linked(part.text)
            else:
                name = part.text or ""
        yield id_, name


def _credited(part: _Element) -> Iterator[int]:
    """Who is credited for the music anywhere in it; a track's own artists have no role there."""
    id_ = None
    for one in part.iter("id", "role"):
        if one.tag == "id":
            id_ = one.text
        elif (role := one.text) and makes_music(role) and id_:
            yield number(id_, "id")


def _credited_throughout(credits: _Element) -> list[int]:
    """Who is credited for the music of all tracks."""
    found: list[int] = []
    for artist in credits:
        parts = {part.tag: part.text for part in artist.iterchildren("id", "role", "tracks")}
        if (role := parts.get("role")) and makes_music(role) and not parts.get("tracks") and parts.get("id"):
            found.append(number(parts["id"], "id"))
    return found


def _check(facts: Facts) -> None:
    """Whether no text is longer than an event's may be."""
    if len(facts.content) > LARGEST_FACTS:
        raise BadElement(f"facts of {len(facts.content):,} bytes; {LARGEST_FACTS:,} at most")
    texts = [facts.title, facts.released, facts.country, *(facts.genres or ()), *(facts.styles or ())]
    texts += [name for _, name in (facts.artists or ()) + (facts.labels or ())]
    texts += [text for name, several in facts.formats or () for text in (name, *several)]
    longest = max(len(text) for text in texts if text)
    if longest > MAX_TEXT:
        raise BadElement(f"a text of {longest:,} characters; {MAX_TEXT:,} at most")
