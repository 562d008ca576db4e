"""A row of an export becomes a copy with the facts it states. What a row does not know stays out.

Known from a row: the release's id, title, year, formats, and its labels where the Label cell can be split; the artist
credit as one entry without id, since joined credits cannot be split. Never known: country, genres, styles, master.
Rows that name no `instance_id` get one derived from user, release, date added and the occurrence of that pair in the
file, so that the same file always means the same copies.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.ids import MAX_ID, MAX_TEXT
from contracts.times import check_lenient
from services.importer.formats import read_formats
from services.importer.labels import proven_labels, read_labels
from services.importer.table import Remark, RemarkKind, Row

# Discogs numbers folders for each user and exports their names; only this folder's number is the same for everybody.
_FOLDERS = {"Uncategorized": 1}


@dataclass(slots=True)
class Copies:
    """The copies of a file in its order, and what was not taken as it stands."""

    items: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def read_copies(rows: Sequence[Row], user: str, *, proven: frozenset[str] | None = None) -> Copies:
    """Each row as an item of `ownership.added`; rows without a usable release id are left out with a remark.

    Shape:   `proven`: names known to be labels from elsewhere, see labels.py; None: the rows themselves decide.
    """
    copies = Copies()
    if proven is None:
        proven = proven_labels(label_cells(rows))
    occurrences: Counter[tuple[int, str]] = Counter()
    for row in rows:
        reading = _Reading(row, copies.remarks)
        release = reading.release_id()
        if release is None:
            continue
        added = reading.first("Date Added", "date_added")
        occurrences[release, added] += 1
        instance = reading.instance_id()
        if instance is None:
            if row.cells.get("instance_id") is not None:
                continue
            instance = derived_instance(user, release, added, occurrences[release, added])
        item: dict[str, Any] = {"instance_id": instance, "release": {"id": release, **reading.facts(proven)}}
        item.update(reading.about_copy(added))
        copies.items.append(item)
    return copies


def read_wishes(rows: Sequence[Row]) -> tuple[list[int], list[Remark]]:
    """The wanted releases in the file's order, each once."""
    remarks: list[Remark] = []
    releases = (_Reading(row, remarks).release_id() for row in rows)
    return list(dict.fromkeys(release for release in releases if release is not None)), remarks


def label_cells(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """The (Label, Catalog#) pairs of the rows, for `proven_labels`."""
    return [(row.cells.get("Label", ""), row.cells.get("Catalog#", "")) for row in rows]


def derived_instance(user: str, release: int, added: str, occurrence: int) -> int:
    """A stable instance id, 1 … 2⁶³−1, for a copy whose own one the export does not name."""
    seed = "\0".join((user, str(release), added, str(occurrence))).encode()
    return int.from_bytes(hashlib.blake2b(seed, digest_size=8).digest(), "big") >> 1 or 1


@dataclass(slots=True)
class _Reading:
    """One row being read; every doubt about it is noted."""

    row: Row
    remarks: list[Remark]

    def note(self, kind: RemarkKind, column: str, text: str) -> None:
        self.remarks.append(Remark(self.row.line, kind, column, text))

    def cell(self, column: str) -> str:
        return self.row.cells.get(column, "").strip()

    def first(self, *columns: str) -> str:
        return next((self.cell(column) for column in columns if self.cell(column)), "")

    def release_id(self) -> int | None:
        return self._id("release_id")

    def instance_id(self) -> int | None:
        return self._id("instance_id") if "instance_id" in self.row.cells else None

    def _id(self, column: str) -> int | None:
        written = self.cell(column)
        if re.fullmatch(r"[0-9]{1,19}", written) and 1 <= int(written) <= MAX_ID:
            return int(written)
        self.note("bad line", column, f"{column} is {written!r}, a whole number from 1 to 2⁶³−1 is expected")
        return None

    def facts(self, proven: frozenset[str]) -> dict[str, Any]:
        """What the row states of the release."""
        facts: dict[str, Any] = {}
        if title := self._text("Title"):
            facts["title"] = title
        if year := self._year():
            facts["year"] = year
        if artist := self._text("Artist"):
            facts["artists"] = [{"name": artist}]
        labels, doubts = read_labels(self.cell("Label"), self.row.cells.get("Catalog#", ""), proven)
        for doubt in doubts:
            self.note("not mapped", "Label", doubt)
        if labels:
            facts["labels"] = labels
        formats, doubts = read_formats(self.row.cells.get("Format", ""))
        for doubt in doubts:
            self.note("not mapped", "Format", doubt)
        if formats:
            facts["formats"] = formats
        return facts

    def about_copy(self, added: str) -> dict[str, Any]:
        """What the row states of this copy."""
        about: dict[str, Any] = {}
        if added:
            try:
                about["added_at"] = check_lenient(added)
            except ValueError as error:
                self.note("bad value", "Date Added", f"{added!r}: {error}")
        rating = self.first("Rating", "rating")
        if rating in {"1", "2", "3", "4", "5"}:
            about["rating"] = int(rating)
        elif rating not in {"", "0"}:
            self.note("bad value", "Rating", f"{rating!r} is no rating from 1 to 5")
        folder = self.cell("CollectionFolder")
        if folder in _FOLDERS:
            about["folder_id"] = _FOLDERS[folder]
        elif folder:
            self.note("not mapped", "CollectionFolder", f"the number of folder {folder!r} is not in the export")
        for column, name in (
            ("Collection Media Condition", "media_condition"),
            ("Collection Sleeve Condition", "sleeve_condition"),
        ):
            if condition := self._text(column):
                about[name] = condition
        return about

    def _year(self) -> int | None:
        """The pressing's year; 0 and a blank mean that it is not known."""
        written = self.cell("Released")
        if not written.strip("0"):
            return None
        if re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", written):
            return int(written[:4])
        self.note("bad value", "Released", f"{written!r} is no year")
        return None

    def _text(self, column: str) -> str:
        text = self.cell(column)
        if len(text) <= MAX_TEXT:
            return text
        self.note("bad value", column, f"longer than {MAX_TEXT} characters")
        return ""
