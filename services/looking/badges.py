"""The catalog for operators: each badge with its rule in words, badges by trigger, holders and what looks odd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from catalog.definition import BadgeDefinition, in_words
from catalog.index import Catalog
from contracts.times import rfc3339
from contracts.topics import INPUT_TOPICS
from services.stores import looking, shadows
from services.stores.postgres import Connection

Json: TypeAlias = dict[str, Any]
Visibility = Literal["public", "hidden", "secret", "shadow", "retired"]

# A tier is far below the one before it with less than a hundredth of its holders, where there are enough to tell.
ENOUGH_HOLDERS: Final = 100
FAR_BELOW: Final = 100


class NoSuch(Exception):
    """There is no such family, trigger or badge; the message names it."""


def visibility(badge: BadgeDefinition) -> Visibility:
    """Who sees a badge that is not earned: everybody; nobody in progress; nobody at all; it is earned no more.

    Who earned it does not see one in the shadow either.
    """
    if badge.retired:
        return "retired"
    if badge.shadow:
        return "shadow"
    if badge.secret:
        return "secret"
    return "hidden" if badge.hidden_until_earned else "public"


def shown(badge: BadgeDefinition) -> Json:
    """The definition, with the rule in words."""
    return {**badge.model_dump(mode="json"), "rule": in_words(badge.criterion), "visibility": visibility(badge)}


def chosen(catalog: Catalog, family: str | None, trigger: str | None, seen: str | None) -> list[BadgeDefinition]:
    """The badges of a family, a trigger, a visibility (None: of all), in the catalog's order.

    Raises:  NoSuch family or trigger.
    """
    badges: Iterable[BadgeDefinition] = catalog.badges.values()
    if family is not None:
        if family not in catalog.families:
            raise NoSuch(f"There is no family {family[:128]!r}.")
        badges = catalog.families[family]
    if trigger is not None:
        asked = {badge.key for badge in _asked(catalog, trigger)}
        badges = [badge for badge in badges if badge.key in asked]
    return [badge for badge in badges if seen is None or visibility(badge) == seen]


def triggers(catalog: Catalog) -> list[Json]:
    """Each topic and the badges it may earn; `empty` where it earns none."""
    found = []
    for topic in INPUT_TOPICS:
        badges = _asked(catalog, topic)
        families = sorted({badge.family for badge in badges})
        keys = [badge.key for badge in badges]
        found.append({"trigger": topic, "badges": keys, "families": families, "empty": not keys})
    return found


async def counted(connection: Connection, catalog: Catalog) -> tuple[dict[str, int], datetime | None]:
    """Holders by badge key, '' being all collectors, and when they were counted; of badges in the shadow by now."""
    found, as_of = await looking.holders(connection)
    kept = await shadows.holders(connection)
    return found | {key: kept.get(key, 0) for key, badge in catalog.badges.items() if badge.shadow}, as_of


def holders(catalog: Catalog, counted: Mapping[str, int], as_of: datetime | None) -> Json:
    """Holders and share of each badge, and what is odd beside the tier before it.

    Shape:   `counted` by badge key, '' being all collectors; what it lacks has no holders. Where nobody has counted yet
             (`as_of` None) numbers are null.
    """
    collectors = counted.get("", 0)
    entries = []
    for tiers in catalog.families.values():
        easier: BadgeDefinition | None = None
        for badge in tiers:
            n = counted.get(badge.key, 0)
            share = round(min(1.0, n / collectors), 6) if as_of is not None and collectors else None
            before = None if easier is None else counted.get(easier.key, 0)
            entries.append(
                {
                    "badge_key": badge.key,
                    "family": badge.family,
                    "tier": badge.tier,
                    "holders": None if as_of is None else n,
                    "share": share,
                    "shadow": badge.shadow,
                    "outlier": None if easier is None or before is None else _outlier(n, before, easier.key),
                }
            )
            easier = badge
    return {
        "as_of": None if as_of is None else rfc3339(as_of),
        "collectors": None if as_of is None else collectors,
        "badges": entries,
    }


def _outlier(n: int, before: int, easier: str) -> str | None:
    """Who has a tier has the easier ones, unless something was given or taken by hand or a rule has changed."""
    if n > before:
        return f"more holders than {easier}, which is easier ({before})"
    if before >= ENOUGH_HOLDERS and n * FAR_BELOW < before:
        return f"fewer than one in {FAR_BELOW} of those who hold {easier} ({before})"
    return None


def _asked(catalog: Catalog, trigger: str) -> tuple[BadgeDefinition, ...]:
    try:
        return catalog.trigger(trigger).badges
    except KeyError:
        raise NoSuch(f"There is no trigger {trigger[:128]!r}.") from None
