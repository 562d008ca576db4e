"""Before you sell: search your own collection, pick records, see what their going would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from catalog.definition import BadgeDefinition, Coverage
from catalog.index import Catalog
from contracts.ids import MAX_ID
from services.api.problems import INVALID, Problem
from services.api.routes import parts_of
from services.api.view import icon_path
from services.pages import words
from services.pages.cards import badge_path, tone
from services.pages.faults import page_router
from services.pages.render import page, texts
from services.pages.texts import Texts
from services.pages.visitor import Visitor
from services.stores import shelf
from services.stores.shelf import Owned
from services.trial.knowledge import trial_knowledge
from services.trial.what_if import Change, what_if

RECORDS: Final = 30
# They stand in the address, so that a choice can be kept as a bookmark.
MOST_PICKED: Final = 100
LONGEST_TEXT: Final = 100
MOST_MOVED: Final = 40
ADDRESS: Final = "/me/sell"

router = page_router()


@dataclass(frozen=True, slots=True)
class Record:
    """One copy as it is shown."""

    instance: int
    title: str
    artists: str
    about: str


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier that would be lost, or won."""

    name: str
    tier: str
    tone: str
    icon: str | None
    of: str | None
    path: str
    numbers: str
    stands: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A number before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What selling would do."""

    loses: list[Tier]
    gains: list[Tier]
    moved: list[Moved]


@router.get(ADDRESS)
async def sell(
    request: Request,
    who: Visitor,
    q: Annotated[str, Query(max_length=LONGEST_TEXT)] = "",
    pick: Annotated[list[int] | None, Query()] = None,
    keep: int | None = None,
    after: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
) -> Response:
    """The visitor's records that fit `q`, those that are picked but for `keep`, and what would change without them."""
    wanted = [one for one in dict.fromkeys(pick or ()) if one != keep]
    if any(not 1 <= one <= MAX_ID for one in wanted):
        raise Problem(INVALID, "pick: no copy has such a number.")
    parts, t = parts_of(request), texts(request)
    q = " ".join(q.replace("\0", " ").split())
    chosen = wanted[:MOST_PICKED]
    found = await parts.reader.ask(shelf.search, who.user_id, q, RECORDS, after)
    picked = await parts.reader.ask(shelf.copies, who.user_id, chosen) if chosen else []
    kept = [one.instance_id for one in picked]
    tried = None
    if kept:
        change, now = Change(remove=kept), datetime.now(UTC)
        answer = await parts.reader.ask(what_if, trial_knowledge(parts.view.catalog), who.user_id, change, now)
        tried = outcome(t, parts.view.catalog, answer, picked)
    return page(
        request,
        "sell.html",
        q=q,
        records=[record(t, one) for one in found.copies if one.instance_id not in kept],
        picked=[record(t, one) for one in picked],
        kept=kept,
        outcome=tried,
        gone=len(chosen) - len(kept),
        too_many=len(wanted) > MOST_PICKED,
        most=MOST_PICKED,
        nothing=not (found.copies or kept or q or after or found.next),
        more=None if found.next is None else address(q, kept, found.next),
        newest=None if after is None else address(q, kept),
        without=address(q, []),
    )


def address(q: str, picked: Iterable[int], after: int | None = None) -> str:
    """The page with this search and these records picked."""
    asked: list[tuple[str, str | int]] = [("q", q)] if q else []
    asked += [("pick", one) for one in picked]
    asked += [] if after is None else [("after", after)]
    return f"{ADDRESS}?{urlencode(asked)}" if asked else ADDRESS


def record(t: Texts, copy: Owned) -> Record:
    """A copy in words: title, artists, and what tells one pressing from another."""
    facts = copy.facts
    year = facts.pressing_year()
    label = facts.labels[0][1] if facts.labels else None
    carrier = facts.formats[0][0] if facts.formats else None
    return Record(
        copy.instance_id,
        facts.title or t("missing.untitled_release", id=str(copy.release_id)),
        ", ".join(name for _, name in facts.artists or ()),
        " · ".join(filter(None, (label, None if year is None else str(year), carrier, facts.country))),
    )


def outcome(t: Texts, catalog: Catalog, answer: Mapping[str, Any], picked: Sequence[Owned]) -> Outcome:
    """The answer of what-if as it is shown; labels, artists and masters are called as the picked records call them."""
    names = names_in(picked)

    def tier(entry: Mapping[str, Any], stands: bool) -> Tier:
        badge = catalog.badges[entry["id"]]
        context = entry["context"]
        return Tier(
            badge.name,
            "" if badge.tier is None else words.tier(t, badge.tier),
            tone(badge),
            icon_path(badge),
            words.context_name(t, context, names.get(context)),
            badge_path(badge.key, context),
            _lost(t, badge, entry) if "target" in entry else "",
            stands,
        )

    return Outcome(
        loses=[tier(one, one["award_stands"]) for one in answer["loses"]],
        gains=[tier(one, True) for one in answer["gains"]],
        moved=[
            Moved(
                t(f"metric.{one['metric']}", name=words.context_name(t, one["context"], names.get(one["context"]))),
                _number(t, one["before"]),
                _number(t, one["after"]),
            )
            for one in [one for one in answer["changes"] if f"metric.{one['metric']}" in t and _matters(one)][
                :MOST_MOVED
            ]
        ],
    )


def names_in(copies: Iterable[Owned]) -> dict[str, str]:
    """What these records call their labels, artists and masters, by context."""
    names: dict[str, str] = {}
    for copy in copies:
        facts = copy.facts
        names |= {f"label:{id_}": name for id_, name in facts.labels or () if id_ is not None}
        names |= {f"artist:{id_}": name for id_, name in facts.artists or () if id_ is not None}
        if facts.master_id and facts.title:
            names[f"master:{facts.master_id}"] = facts.title
    return names


def _matters(change: Mapping[str, Any]) -> bool:
    """Not that of a work the only pressing goes: every record would say so."""
    return change["metric"] != "pressings" or (change["before"] or 0) > 1


def _lost(t: Texts, badge: BadgeDefinition, entry: Mapping[str, Any]) -> str:
    unit = "\u00a0%" if isinstance(badge.criterion, Coverage) else ""
    before, after, target = (_number(t, entry[name]) + unit for name in ("before", "after", "target"))
    return t("sell.lost", before=before, after=after, target=target)


def _number(t: Texts, value: int | None) -> str:
    return "?" if value is None else t.number(value)
