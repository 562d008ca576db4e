"""The grid: every family of badges, with what is earned of it and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.definition import CATEGORIES, BadgeDefinition
from catalog.index import Catalog
from evaluators.remaining import out_of_reach
from services.api.view import RETIRED, icon_path
from services.pages import words
from services.pages.cards import SPECIAL, Card, badge_path, card, tone
from services.pages.texts import Texts
from services.stores.showcase import Best

CONTEXTS: Final = 6
SHOWN: Final = ("all", "earned", "locked")
LONGEST_TEXT: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What the grid is narrowed to; an empty category is every one, `show` one of SHOWN."""

    category: str = ""
    show: str = "all"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One tier of a ladder as a dot; `state` is earned, locked or unreachable."""

    tier: str
    tone: str
    state: str


@dataclass(frozen=True, slots=True)
class Family:
    """One family on the grid. Of a secret one nothing is told but that it is there.

    Shape:   `face` is the badge shown: the best one earned, else the next; `cards` are the first contexts and `more`
             counts the others; `percent` and `need` are of the next tier, None where there is none.
    """

    name: str
    category: str
    path: str
    tone: str
    icon: str | None
    about: str
    earned: bool
    secret: bool
    steps: list[Step]
    cards: list[Card]
    more: int
    percent: int | None
    need: str | None


def families(
    t: Texts, catalog: Catalog, best: Iterable[Best], progress: Iterable[Mapping[str, Any]], asked: Asked
) -> list[tuple[str, list[Family]]]:
    """The families that fit, by category; `progress` are entries of the API's progress, nearest first."""
    held: dict[str, list[Best]] = {}
    for award in best:
        held.setdefault(award.family, []).append(award)
    upcoming: dict[str, Mapping[str, Any]] = {}
    for entry in progress:
        upcoming.setdefault(catalog.badges[entry["id"]].family, entry)
    found: dict[str, list[Family]] = {}
    for name, tiers in catalog.families.items():
        shown = [badge for badge in tiers if not (badge.secret or badge.retired)]
        if (shown or name in held) and fits_category(tiers[0].category, asked):
            made = _family(t, catalog, shown or tiers, held.get(name, []), upcoming.get(name))
            if fitting := _fitting(made, asked):
                found.setdefault(tiers[0].category, []).append(fitting)
    if fits_category(RETIRED, asked):
        unknown = [
            _unknown(card(t, catalog, awards[0])) for name, awards in held.items() if name not in catalog.families
        ]
        if gone := [one for family in unknown if (one := _fitting(family, asked))]:
            found[RETIRED] = gone
    return [(category, found[category]) for category in (*CATEGORIES, RETIRED) if category in found]


def fits_category(category: str, asked: Asked) -> bool:
    """Whether the category is asked for."""
    return asked.category in ("", category)


def _family(
    t: Texts, catalog: Catalog, tiers: Sequence[BadgeDefinition], held: Sequence[Best], entry: Mapping[str, Any] | None
) -> Family:
    best = max((catalog.badges[one.badge_key] for one in held), key=lambda badge: badge.tier_index, default=None)
    following = None if entry is None else catalog.badges[entry["id"]]
    face = best or following or tiers[0]
    if best is None and all(badge.hidden_until_earned for badge in tiers):
        return _secret(t, face)
    cards = [card(t, catalog, award) for award in held]
    return Family(
        name=face.name,
        category=face.category,
        path=badge_path(face.key, held[0].context if len(held) == 1 else ""),
        tone=tone(face),
        icon=icon_path(face, locked=best is None),
        about=words.about(t, following if following is not None and not face.context_kind else face),
        earned=best is not None,
        secret=False,
        steps=_steps(t, tiers, best),
        cards=cards,
        more=max(0, held[0].contexts - len(held)) if held else 0,
        percent=_percent(entry),
        need=None if entry is None or following is None else words.need(t, following, entry),
    )


def _steps(t: Texts, tiers: Sequence[BadgeDefinition], best: BadgeDefinition | None) -> list[Step]:
    steps = []
    for badge in tiers if len(tiers) > 1 else ():
        state = "locked"
        if best is not None and badge.tier_index <= best.tier_index:
            state = "earned"
        elif out_of_reach(badge.criterion) is not None:
            state = "unreachable"
        steps.append(Step(words.tier(t, badge.tier), tone(badge), state))
    return steps


def _percent(entry: Mapping[str, Any] | None) -> int | None:
    if entry is None or entry["current"] is None or not entry["reachable"]:
        return None
    return min(100, int(entry["current"] * 100 // entry["target"]))


def _secret(t: Texts, badge: BadgeDefinition) -> Family:
    lead = t("grid.secret_lead")
    return Family(t("grid.secret"), badge.category, "", SPECIAL, None, lead, False, True, [], [], 0, None, None)


def _unknown(one: Card) -> Family:
    return Family(one.name, RETIRED, one.path, one.tone, None, "", True, False, [], [one], 0, None, None)


def _fitting(family: Family, asked: Asked) -> Family | None:
    """The family, where it fits; of its contexts those that the text is about, where it is about them alone."""
    if asked.show != "all" and family.earned != (asked.show == "earned"):
        return None
    text = asked.text.casefold()
    if not text or text in family.name.casefold() or text in family.about.casefold():
        return family
    named = [one for one in family.cards if text in (one.of or "").casefold()]
    if not named:
        return None
    return replace(family, cards=named, more=0)
