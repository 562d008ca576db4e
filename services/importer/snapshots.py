"""Exports of one collection, made one after another, become the additions and removals that lie between them.

A copy is the pair of release and date added (and its occurrence), so a copy that leaves and comes back under a new
date is a new copy. A snapshot's events carry its moment; nothing says more exactly when a change happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.importer.events import pages, structured
from services.importer.labels import proven_labels
from services.importer.rows import label_cells, read_copies, read_wishes
from services.importer.table import Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One export and the moment it was made."""

    name: str
    time: datetime
    table: Table


def collection_events(
    snapshots: Sequence[Snapshot], *, user: str, source: str, page_items: int = 100
) -> Iterator[dict[str, Any]]:
    """For each snapshot what came, what went, and the end of the sync, as structured CloudEvents."""
    # All snapshots together prove more label names than each alone, and every one of them is read alike.
    proven = proven_labels(pair for snapshot in snapshots for pair in label_cells(snapshot.table.rows))
    before: dict[int, dict[str, Any]] = {}
    for snapshot in snapshots:
        copies = read_copies(snapshot.table.rows, user, proven=proven)
        after = {int(item["instance_id"]): item for item in copies.items}
        came = [item for instance, item in after.items() if instance not in before]
        went = [{"instance_id": instance} for instance in before if instance not in after]
        for number, added in enumerate(pages(came, page_items), 1):
            yield _event(snapshot, "ownership.added", number, source, user, {"items": added})
        for number, removed in enumerate(pages(went, page_items), 1):
            yield _event(snapshot, "ownership.removed", number, source, user, {"items": removed})
        synced = {"sync_id": snapshot.name, "items_total": len(after)}
        yield _event(snapshot, "collection.synced", 1, source, user, synced)
        before = after


def wantlist_events(
    snapshots: Sequence[Snapshot], *, user: str, source: str, page_items: int = 100
) -> Iterator[dict[str, Any]]:
    """For each snapshot the wishes that came and those that went, as structured CloudEvents."""
    before: list[int] = []
    for snapshot in snapshots:
        after, _ = read_wishes(snapshot.table.rows)
        for type_, wishes in (
            ("wishlist.added", [wish for wish in after if wish not in before]),
            ("wishlist.removed", [wish for wish in before if wish not in after]),
        ):
            for number, page in enumerate(pages(wishes, page_items), 1):
                yield _event(snapshot, type_, number, source, user, {"release_ids": page})
        before = after


def _event(
    snapshot: Snapshot, type_: str, number: int, source: str, user: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The event with an id that is the same in every run."""
    seed = "\0".join((user, snapshot.name, type_, str(number))).encode()
    id_ = hashlib.blake2b(seed, digest_size=16).hexdigest()
    return structured(type_, id_, source, user, snapshot.time, data)
