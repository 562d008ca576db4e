"""The strip of the nearest tiers, and the list of what is missing for one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.definition import BadgeDefinition, Coverage
from catalog.index import Catalog
from services.api.view import icon_path
from services.pages import words
from services.pages.cards import badge_path, missing_path, tone
from services.pages.texts import Texts

ENTRIES: Final = 6
FIRST: Final = 10


@dataclass(frozen=True, slots=True)
class Near:
    """One tier that is near; `count` is the numbers in words, `of` what it is about."""

    name: str
    tier: str
    tone: str
    icon: str | None
    of: str | None
    current: int
    target: int
    count: str
    need: str
    path: str
    missing: str
    first: str


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing: its name, and a year or a number."""

    name: str
    note: str


def strip(t: Texts, catalog: Catalog, progress: Iterable[Mapping[str, Any]]) -> list[Near]:
    """The nearest tiers that can be reached, of the API's progress."""
    found: list[Near] = []
    for entry in progress:
        if len(found) < ENTRIES and entry["remaining"]:
            badge = catalog.badges[entry["id"]]
            found.append(_near(t, badge, entry))
    return found


def _near(t: Texts, badge: BadgeDefinition, entry: Mapping[str, Any]) -> Near:
    share = isinstance(badge.criterion, Coverage)
    return Near(
        name=badge.name,
        tier=words.tier(t, badge.tier),
        tone=tone(badge),
        icon=icon_path(badge),
        of=words.entry_name(t, badge, entry),
        current=entry["current"],
        target=entry["target"],
        count=t("strip.percent" if share else "strip.count", current=entry["current"], target=entry["target"]),
        need=words.need(t, badge, entry),
        path=badge_path(badge.key, entry["context"]),
        missing=missing_path(badge.key, entry["context"]),
        first=missing_path(badge.key, entry["context"], limit=FIRST),
    )


def gaps(t: Texts, entries: Iterable[Mapping[str, Any]]) -> list[Gap]:
    """What the API lists as missing, as it is shown."""
    found = []
    for entry in entries:
        if "value" in entry:
            note = t("missing.have", owned=entry["owned"]) if entry.get("owned") else ""
            found.append(Gap(entry["value"], note))
        else:
            kind = "release" if "release_id" in entry else "work"
            number = entry.get("release_id", entry.get("master_id"))
            title = entry["title"] or t(f"missing.untitled_{kind}", id=str(number))
            found.append(Gap(title, str(entry["year"] or "")))
    return found
