"""What somebody shared, in words: of an award the badge, what it rests on and the day; of a profile the best of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from catalog.index import Catalog
from services.api.view import View
from services.pages import words
from services.pages.texts import Texts, texts_of
from services.share.card import Earned, badge_card, profile_card
from services.stores import shares, showcase
from services.stores.achievements import moment
from services.stores.postgres import Connection

TOKEN_BYTES: Final = 18  # 144 bits: nobody finds one by trying
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{24}").fullmatch
_ONE_PER_FAMILY: Final = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A card in words; `summary` is what stands below the title where a link to it is shown."""

    language: str
    by: str
    title: str
    summary: str
    badges: list[Earned]
    profile: bool

    def card(self) -> str:
        """The card as SVG."""
        if self.profile:
            return profile_card(self.badges, self.by, self.summary)
        return badge_card(self.badges[0], self.by)


async def look(connection: Connection, view: View, token: str) -> Shown | None:
    """What is shared under this token; None where nothing is, or what was shared does not stand any more."""
    if not _TOKEN(token):
        return None
    found = await shares.find(connection, token)
    if found is None:
        return None
    t = texts_of(found.language)
    if found.badge_key == shares.PROFILE:
        shelf = await showcase.shelf(connection, found.user_id, view.ladders, "", _ONE_PER_FAMILY)
        return profile(t, view.catalog, found.name, shelf)
    award = await shares.award(connection, found)
    badge = view.catalog.badges.get(found.badge_key)
    if award is None or badge is None:
        return None
    day = t("share.earned", day=t.day(award.at.date()))
    one = _earned(t, view.catalog, badge.key, found.context, award.evidence, day)
    assert one is not None
    title = badge.title if t.language == "en" else f"{badge.name} · {words.tier(t, badge.tier)}"
    return Shown(t.language, found.name, title, " · ".join(filter(None, (one.of, one.proof, day))), [one], False)


def profile(t: Texts, catalog: Catalog, by: str, shelf: showcase.Shelf) -> Shown | None:
    """A profile in words; None where nothing of it stands."""
    badges = []
    for award in shelf.showcase:
        evidence: dict[str, Any] = msgspec.json.decode(award.evidence)
        day = t.day(moment(award.at).date())
        one = _earned(t, catalog, award.badge_key, award.context, evidence, day, named=award.name)
        badges += [] if one is None else [one]
    if not badges:
        return None
    total = t("share.total", n=shelf.total, families=len(shelf.best))
    return Shown(t.language, by, by or t("share.collector"), total, badges, True)


def _earned(
    t: Texts,
    catalog: Catalog,
    key: str,
    context: str,
    evidence: dict[str, Any],
    day: str,
    *,
    named: str | None = None,
) -> Earned | None:
    badge = catalog.badges.get(key)
    if badge is None:
        return None
    of = words.context_name(t, context, named or evidence.get(context.partition(":")[0]))
    tier = words.tier(t, badge.tier)
    proof = words.proof(t, badge, evidence) or ""
    return Earned(badge, tier, t(f"category.{badge.category}"), badge.name, of or "", proof, day)
