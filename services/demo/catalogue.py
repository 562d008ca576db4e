"""The second act's data: a piece of a real dump around one label, and a collector who owns most of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from services.catalogue.dump import pieces
from services.catalogue.elements import BadElement, elements
from services.catalogue.releases import DumpedRelease, release_of
from services.demo import data
from services.demo.events import noon, sync
from services.importer.rows import derived_instance

COLLECTOR: Final = "composed-02"
LABEL: Final = 245  # R & S Records
BEFORE: Final = "2001"
LATEST_YEAR: Final = 2016
PAGE_ITEMS: Final = 100
DAY: Final = "2021-05-{:02d}"


@dataclass(frozen=True, slots=True)
class Piece:
    """How much of the label the dump has, and how much of that the collector owns."""

    releases: int
    owned: int


def files() -> list[Path]:
    """The dump's files: releases, masters, artists, labels."""
    return sorted(data.folder("catalogue").glob("*.xml.gz"))


@cache
def every_release() -> tuple[DumpedRelease, ...]:
    """All releases of the dump, in the order of their ids."""
    (dump,) = [file for file in files() if "releases" in file.name]
    return tuple(_releases(dump))


@cache
def of_the_label() -> tuple[DumpedRelease, ...]:
    """The label's releases, in the order of their ids."""
    return tuple(release for release in every_release() if LABEL in release.labels)


def owned() -> list[int]:
    """What the collector owns: every release of the label that is dated before 2001."""
    return [release.release_id for release in of_the_label() if release.issued and release.issued < BEFORE]


def piece() -> Piece:
    """The numbers to be told."""
    return Piece(len(of_the_label()), len(owned()))


def second_events() -> Iterator[dict[str, Any]]:
    """Pages that name releases and say nothing of them, for the catalogue knows; and the end of the sync."""
    items = [{"instance_id": derived_instance(COLLECTOR, id_, "", 1), "release": {"id": id_}} for id_ in owned()]
    cut = [items[start : start + PAGE_ITEMS] for start in range(0, len(items), PAGE_ITEMS)]
    return sync(COLLECTOR, [(noon(DAY.format(at)), page) for at, page in enumerate(cut, 1)])


def _releases(dump: Path) -> Iterator[DumpedRelease]:
    for part in pieces(dump):
        for found in elements("release", part):
            if isinstance(found, BadElement):
                raise found
            yield release_of(found[1], LATEST_YEAR)
