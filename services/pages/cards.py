"""What stands on a page of awards: one card per award, made of what is stored and the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from catalog.definition import BadgeDefinition
from catalog.index import Catalog
from services.api.view import RETIRED, icon_path
from services.pages import words
from services.pages.texts import Texts
from services.stores.achievements import moment
from services.stores.showcase import Best

SPECIAL: Final = "special"


@dataclass(frozen=True, slots=True)
class Card:
    """One award as it is shown; `tone` names its colours, `of` what it was earned for."""

    key: str
    context: str
    path: str
    name: str
    tier: str
    tone: str
    category: str
    icon: str | None
    about: str
    of: str | None
    day: str
    proof: str | None
    pinned: bool


def card(t: Texts, catalog: Catalog, award: Best) -> Card:
    """The card of an award; one of a badge that the catalog does not know is shown with what is stored."""
    badge = catalog.badges.get(award.badge_key)
    evidence: dict[str, Any] = msgspec.json.decode(award.evidence)
    return Card(
        key=award.badge_key,
        context=award.context,
        path=badge_path(award.badge_key, award.context),
        name=award.badge_key if badge is None else badge.name,
        tier="" if badge is None else words.tier(t, badge.tier),
        tone=tone(badge),
        category=RETIRED if badge is None else badge.category,
        icon=None if badge is None else icon_path(badge),
        about="" if badge is None else words.about(t, badge),
        of=words.context_name(t, award.context, award.name),
        day=t.day(moment(award.at).date()),
        proof=None if badge is None else words.proof(t, badge, evidence),
        pinned=award.pinned,
    )


def tone(badge: BadgeDefinition | None) -> str:
    """The name of a badge's colours in tones.css."""
    return SPECIAL if badge is None or badge.tier is None else badge.tier


def badge_path(key: str, context: str = "") -> str:
    """The page about a badge."""
    return f"/me/badges/{quote(key, safe='')}" + (f"?{urlencode({'context': context})}" if context else "")


def missing_path(key: str, context: str = "", *, limit: int | None = None) -> str:
    """The page about what is missing for a badge."""
    asked = {"context": context or None, "limit": limit}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    return f"/me/missing/{quote(key, safe='')}" + (f"?{query}" if query else "")
