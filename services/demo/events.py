"""Everything the demo sends, in order, the same in every run: historical times, ids derived from the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import encode_structured
from services.demo import data
from services.importer.events import structured
from services.importer.rows import derived_instance, read_copies
from services.importer.snapshots import collection_events, wantlist_events

SOURCE = "gatefold-demo"
PAGE_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that no decoder should accept, to be sent as it is."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def demo_events() -> Iterator[Mapping[str, Any] | Malformed]:
    """Structured CloudEvents in the order of sending; among them one exact repeat and one `Malformed`."""
    activity = data.activity()
    for join in activity["joined"]:
        at = noon(join["joined_at"])
        yield _event("user.joined", join["user"], at, {"joined_at": join["joined_at"]})
    yield from _copies_pages()
    yield from _composed_pages([datetime.fromisoformat(time) for time in activity["composed_pages"]])
    yield from collection_events(data.snapshots("collection"), user=data.SNAPSHOTS_OF, source=SOURCE)
    reviews = [
        _event("review.approved", made["user"], datetime.fromisoformat(made["time"]), {"review_id": made["review_id"]})
        for made in activity["reviews"]
    ]
    yield from reviews
    yield from wantlist_events(data.snapshots("wantlist"), user=data.SNAPSHOTS_OF, source=SOURCE)
    for day in activity["anniversaries"]:
        yield _event("cron.anniversary", day["user"], noon(day["on"]), {"on": day["on"]})
    yield reviews[0]
    yield _malformed()


def _copies_pages() -> Iterator[dict[str, Any]]:
    """Collector 05 in the order of the dates added; a page carries the last date in it."""
    facts = data.copies_facts()
    items = sorted(read_copies(data.copies().rows, data.COPIES_OF).items, key=lambda item: str(item["added_at"]))
    for item in items:
        item["release"] = facts.get(item["release"]["id"], item["release"])
    cut = [items[start : start + PAGE_ITEMS] for start in range(0, len(items), PAGE_ITEMS)]
    yield from sync(data.COPIES_OF, [(noon(page[-1]["added_at"]), page) for page in cut])


def _composed_pages(times: Sequence[datetime]) -> Iterator[dict[str, Any]]:
    """The composed collector, cut into as many pages as there are times."""
    items = [
        {"instance_id": derived_instance(data.COMPOSED, release["id"], "", 1), "release": release}
        for release in data.composed_releases()
    ]
    size = -(-len(items) // len(times))
    yield from sync(data.COMPOSED, [(time, items[n * size : (n + 1) * size]) for n, time in enumerate(times)])


def sync(user: str, dated_pages: Sequence[tuple[datetime, list[dict[str, Any]]]]) -> Iterator[dict[str, Any]]:
    """The pages, and the end of the sync at the time of the last one."""
    for time, page in dated_pages:
        yield _event("ownership.added", user, time, {"items": page})
    total = sum(len(page) for _, page in dated_pages)
    yield _event("collection.synced", user, dated_pages[-1][0], {"sync_id": f"{user}-complete", "items_total": total})


def _malformed() -> Malformed:
    """A page whose release id stands in quotes: text where the contract wants a number."""
    release = {"id": "27566", "title": "My Life In The Bush Of Ghosts"}
    headers, value = encode_structured(
        type="ownership.added",
        id="malformed-1",
        source=SOURCE,
        subject=data.COPIES_OF,
        time=noon("2024-01-01"),
        data={"items": [{"instance_id": 1, "release": release}]},
    )
    return Malformed("ownership.added", data.COPIES_OF.encode(), headers, value)


def _event(type_: str, user: str, time: datetime, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The event with an id that is a digest of its content."""
    seed = json.dumps([type_, user, payload], sort_keys=True, ensure_ascii=False)
    return structured(type_, hashlib.blake2b(seed.encode(), digest_size=16).hexdigest(), SOURCE, user, time, payload)


def noon(day: str) -> datetime:
    """Noon UTC of a day: the data give dates only."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")
