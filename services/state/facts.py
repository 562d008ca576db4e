"""Facts of a release: what one statement says, how statements merge, and what the merged facts count as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

MOST: Final = 2**31 - 1  # whatever number of owners a producer makes up
FIRST_YEAR: Final = 1860  # before the first recordings: contract §3
_FOUR_DIGITS: Final = re.compile(r"[0-9]{4}")


class Stamp(NamedTuple):
    """When and by which event something was said; a greater stamp wins, an equal one is a later item of that event."""

    time: datetime
    id: str
    source: str


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """What is said of a release; None is unknown, an empty list is a statement.

    Shape:   `year` 0: said to be unknown, -1: said, but not a possible year. `released` is '' where its year is not
             possible. `artists` and `labels` are pairs of id (None: not linked) and name; `formats` are pairs of
             name and descriptions.
    """

    title: str | None = None
    master_id: int | None = None
    year: int | None = None
    released: str | None = None
    country: str | None = None
    artists: tuple[tuple[int | None, str], ...] | None = None
    labels: tuple[tuple[int | None, str], ...] | None = None
    formats: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    genres: tuple[str, ...] | None = None
    styles: tuple[str, ...] | None = None
    have: int | None = None

    def pressing_year(self) -> int | None:
        """Year of this pressing; None where it is not known."""
        if self.year:
            return self.year if self.year > 0 else None
        if self.released and (match := _FOUR_DIGITS.search(self.released)):
            return int(match[0])
        return None

    @cached_property
    def content(self) -> bytes:
        """Canonical bytes: equal facts, equal bytes."""
        return _ENCODER.encode(self)


FIELDS: Final = Facts.__struct_fields__
NOTHING: Final = Facts()
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Facts)


@lru_cache(maxsize=10_000)
def facts_of(content: str | bytes) -> Facts:
    """The facts with this canonical content, remembered: many own the same pressings."""
    facts = _DECODER.decode(content)
    facts.__dict__["content"] = content.encode() if isinstance(content, str) else content
    return facts


@lru_cache(maxsize=10_000)
def digest(content: bytes) -> bytes:
    """Name of a content, 16 bytes, remembered."""
    return blake2b(content, digest_size=16).digest()


def state_of(release: Any, year_of_event: int) -> Facts:
    """What an event states of a release.

    Shape:   `release` has the attributes of the contract's `release`; `year_of_event` bounds the years that can be.
    """
    latest = year_of_event + 1
    year = release.year
    if year is not None:
        year = 0 if year <= 0 else year if FIRST_YEAR <= year <= latest else -1
    released = release.released
    if released:
        match = _FOUR_DIGITS.search(released)
        if not match or not FIRST_YEAR <= int(match[0]) <= latest:
            released = ""
    return Facts(
        release.title,
        release.master_id,
        year,
        released,
        release.country,
        None if release.artists is None else tuple([(one.id, one.name) for one in release.artists]),
        None if release.labels is None else tuple([(one.id, one.name) for one in release.labels]),
        None
        if release.formats is None
        else tuple([(one.name, tuple(one.descriptions or ())) for one in release.formats]),
        None if release.genres is None else tuple(release.genres),
        None if release.styles is None else tuple(release.styles),
        None if release.have is None else min(release.have, MOST),
    )


class States:
    """`state_of` with a memory: the codec gives the same object for a release that was described in the same bytes."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        # By the object's id; the object is kept, so that its id stays its own.
        self._known: dict[tuple[int, int], tuple[Any, Facts]] = {}

    def __call__(self, release: Any, year_of_event: int) -> Facts:
        """What an event of that year states of a release."""
        key = (id(release), year_of_event)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[key] = (release, state_of(release, year_of_event))
        return known[1]


def merge(first: Facts | None, second: Facts | None) -> Facts:
    """Per field what `first` says, else what `second` says: the catalogue before the user."""
    if first is None:
        return second or NOTHING
    if second is None:
        return first
    return Facts(
        **{
            name: theirs if (ours := getattr(first, name)) is None else ours
            for name in FIELDS
            if (theirs := getattr(second, name)) is not None or getattr(first, name) is not None
        }
    )


class Statement(msgspec.Struct):
    """What one party (a user, or the catalogue) has said of a release so far: the newest of each field.

    Shape:   `stamp` of all fields, or `stamps` per field where they differ.
    """

    facts: Facts = NOTHING
    stamp: Stamp | None = None
    stamps: dict[str, Stamp] | None = None

    def say(self, new: Facts, stamp: Stamp) -> bool:
        """Take over each field that is said anew and not older; answers whether anything was taken over."""
        if new == NOTHING:
            return False
        old = self.facts
        if old == NOTHING:
            self.facts, self.stamp, self.stamps = new, stamp, None
            return True
        said = [name for name in FIELDS if getattr(new, name) is not None]
        stamps = self.per_field()
        taken = {name: getattr(new, name) for name in said if name not in stamps or stamp >= stamps[name]}
        if not taken:
            return False
        stamps |= dict.fromkeys(taken, stamp)
        self.facts = msgspec.structs.replace(old, **taken)
        self._keep(stamps)
        return True

    def forget(self, until: datetime) -> None:
        """Drop every field that was said no later than `until`."""
        stamps = {name: stamp for name, stamp in self.per_field().items() if stamp.time > until}
        self.facts = Facts(**{name: getattr(self.facts, name) for name in stamps})
        self._keep(stamps)

    def newest(self) -> Stamp | None:
        """The latest stamp of any field that counts."""
        if self.stamps is None:
            return None if self.facts == NOTHING else self.stamp
        return max(self.stamps.values(), default=None)

    def per_field(self) -> dict[str, Stamp]:
        """Stamp of each field that is known."""
        if self.stamps is not None:
            return dict(self.stamps)
        if self.stamp is None:
            return {}
        return {name: self.stamp for name in FIELDS if getattr(self.facts, name) is not None}

    def _keep(self, stamps: Mapping[str, Stamp]) -> None:
        distinct = set(stamps.values())
        self.stamp = max(distinct, default=None)
        self.stamps = dict(stamps) if len(distinct) > 1 else None
