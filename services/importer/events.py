"""The rows of a file become events in pages.

A page's id is a digest of user, file content, page size and page number: importing the same file again repeats the
ids, so the second time changes nothing. `time` is the moment of the import unless the caller says otherwise. An export
lists what is there and cannot say what has left, so an import only adds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from contracts.times import rfc3339
from services.importer.rows import read_copies, read_wishes
from services.importer.table import FileKind, Remark, Table

PAGE_BYTES = 900_000
"""A page ends before it is larger, whatever the number of items: a record may hold 1,000,000 bytes."""

T = TypeVar("T")

# Part of every id: raised when rows are read differently, so that an import repeated with a newer importer counts.
_READING = "1"


@dataclass(frozen=True, slots=True)
class Import:
    """What a file amounts to for one user.

    Shape:   `events` are structured CloudEvents in the order of publishing; `taken` counts copies or wishes.
    """

    kind: FileKind
    rows: int
    taken: int
    releases: int
    events: list[dict[str, Any]]
    remarks: list[Remark]

    @property
    def faults(self) -> int:
        """Lines that were skipped and values that were left out because they are wrong."""
        return sum(remark.kind != "not mapped" for remark in self.remarks)


def plan_import(table: Table, *, user: str, source: str, time: datetime, page_items: int) -> Import:
    """All events of one import: `ownership.added` pages and `collection.synced`, or `wishlist.added` pages."""
    seed = "\0".join((_READING, user, table.kind, str(page_items), table.digest.hex()))

    def event(type_: str, part: str, data: Mapping[str, Any]) -> dict[str, Any]:
        id_ = hashlib.blake2b(f"{seed}\0{part}".encode(), digest_size=16).hexdigest()
        return structured(type_, id_, source, user, time, data)

    events: list[dict[str, Any]] = []
    if table.kind == "wantlist":
        wishes, remarks = read_wishes(table.rows)
        for number, page in enumerate(pages(wishes, page_items), 1):
            events.append(event("wishlist.added", f"page {number}", {"release_ids": page}))
        taken, releases = len(wishes), len(wishes)
    else:
        copies = read_copies(table.rows, user)
        remarks, taken = copies.remarks, len(copies.items)
        releases = len({item["release"]["id"] for item in copies.items})
        for number, copies_page in enumerate(pages(copies.items, page_items), 1):
            events.append(event("ownership.added", f"page {number}", {"items": copies_page}))
        if events:
            sync_id = f"import-{hashlib.blake2b(seed.encode(), digest_size=8).hexdigest()}"
            events.append(event("collection.synced", "end", {"sync_id": sync_id, "items_total": taken}))
    everything = sorted([*table.remarks, *remarks], key=lambda remark: remark.line)
    bad_lines = sum(remark.kind == "bad line" for remark in table.remarks)
    return Import(table.kind, len(table.rows) + bad_lines, taken, releases, events, everything)


def structured(
    type_: str, id_: str, source: str, subject: str, time: datetime, data: Mapping[str, Any]
) -> dict[str, Any]:
    """A CloudEvent with its data, as `gatefold emit` reads it from a line."""
    return {
        "specversion": "1.0",
        "type": type_,
        "id": id_,
        "source": source,
        "subject": subject,
        "time": rfc3339(time),
        "data": dict(data),
    }


def pages(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items in order, at most `size` and about `PAGE_BYTES` bytes of JSON to a page."""
    page: list[T] = []
    page_bytes = 0
    for item in items:
        item_bytes = len(json.dumps(item, ensure_ascii=False).encode()) + 2
        if page and (len(page) == size or page_bytes + item_bytes > PAGE_BYTES):
            yield page
            page, page_bytes = [], 0
        page.append(item)
        page_bytes += item_bytes
    if page:
        yield page
