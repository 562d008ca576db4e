"""Facets: what the facts of one release add to a collection's counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from contracts.countries import COUNTRIES
from services.state.facts import Facts, facts_of

SIZES: Final[tuple[str, ...]] = ("LP", '12"', '10"', '7"')
NOT_A_FORMAT: Final = "All Media"
NOT_A_LABEL: Final = "Not On Label"
RARE_BELOW: Final = 100  # a deep cut has fewer known owners

NOBODY: Final = frozenset({194, 355, 118760})  # Various, Unknown Artist, No Artist

LABEL: Final = b"l"
MASTER: Final = b"m"
ARTIST: Final = b"a"
METRICS: Final = {"genre": "genres", "style": "styles", "country": "countries", "format": "formats"}
BOUNDED: Final = tuple(METRICS)

FacetId = Callable[[str, str], int]


class Counted(NamedTuple):
    """What one owned release counts as; ids of bounded facets as in `facet_value`, each at most once."""

    genres: tuple[int, ...]
    styles: tuple[int, ...]
    countries: tuple[int, ...]
    formats: tuple[int, ...]
    labels: tuple[int, ...]
    artists: tuple[int, ...]
    master: int
    year: int
    mono: bool
    deep_cut: bool
    title: str | None
    bounded: tuple[tuple[str, int], ...]  # metric and id of each genre, style, country and format


def label_value(id_: int | None, name: str) -> int | None:
    """What a label is counted under: its id, or the negative 63-bit digest of its exact name; None never counts."""
    if name.startswith(NOT_A_LABEL):
        return None
    if id_ is not None:
        return id_
    return -(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1 or 1)


def formats_of(facts: Facts) -> list[str]:
    """The formats that a release counts for: sizes win over Vinyl, other carriers go by their name."""
    found: dict[str, None] = {}
    for name, descriptions in facts.formats or ():
        if name == "Vinyl":
            sizes = [size for size in SIZES if size in descriptions]
            found.update(dict.fromkeys(sizes or ["Vinyl"]))
        elif name != NOT_A_FORMAT:
            found[name] = None
    return list(found)


def bounded_values(facts: Facts) -> Iterable[tuple[str, str]]:
    """Every (facet, value) of these facts that needs an id in `facet_value`."""
    for genre in facts.genres or ():
        yield "genre", genre
    for style in facts.styles or ():
        yield "style", style
    if facts.country in COUNTRIES:
        yield "country", facts.country or ""
    for name in formats_of(facts):
        yield "format", name


def count(facts: Facts, facet_id: FacetId) -> Counted:
    """What the facts of one release count as.

    Raises:  KeyError where `facet_id` does not know a value.
    """
    ids: dict[str, dict[int, None]] = {facet: {} for facet in BOUNDED}
    for facet, value in bounded_values(facts):
        ids[facet][facet_id(facet, value)] = None
    labels = dict.fromkeys(number for id_, name in facts.labels or () if (number := label_value(id_, name)) is not None)
    artists = dict.fromkeys(id_ for id_, _ in facts.artists or () if id_ is not None and id_ not in NOBODY)
    return Counted(
        genres=tuple(ids["genre"]),
        styles=tuple(ids["style"]),
        countries=tuple(ids["country"]),
        formats=tuple(ids["format"]),
        bounded=tuple((METRICS[facet], id_) for facet in BOUNDED for id_ in ids[facet]),
        labels=tuple(labels),
        artists=tuple(artists),
        master=facts.master_id or 0,
        year=facts.pressing_year() or 0,
        mono=any("Mono" in descriptions for _, descriptions in facts.formats or ()),
        deep_cut=facts.have is not None and facts.have < RARE_BELOW,
        title=facts.title,
    )


class Counter:
    """`count` with a memory: the same popular pressings come again and again."""

    def __init__(self, facet_id: FacetId, most: int = 100_000) -> None:
        self._facet_id = facet_id
        self._most = most
        self._known: dict[bytes, Counted] = {}

    def __contains__(self, content: bytes) -> bool:
        return content in self._known

    def __call__(self, content: bytes) -> Counted:
        """What the facts with this canonical content count as.

        Raises:  KeyError where a value has no id yet.
        """
        known = self._known.get(content)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[content] = self._count(content)
        return known

    def _count(self, content: bytes) -> Counted:
        return count(facts_of(content), self._facet_id)
