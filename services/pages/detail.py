"""All about one badge: why it was earned or what is missing, its ladder, what else it was earned for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Request, Response

from catalog.definition import BadgeDefinition, Coverage
from contracts.times import parse_time
from evaluators.remaining import out_of_reach
from services.api.problems import INVALID, UNKNOWN_ACHIEVEMENT, Problem
from services.api.rarity import ordinal
from services.api.routes import LONGEST_CURSOR, may_be_a_key, parts_of, place
from services.api.view import icon_path, target_of
from services.missing.answer import missing as missing_for
from services.missing.asked import Asked as MissingAsked
from services.missing.asked import Unfit
from services.pages import evidence, words
from services.pages.cards import badge_path, tone
from services.pages.faults import page_router
from services.pages.locked import Locked, locked_of
from services.pages.render import page, texts
from services.pages.texts import Texts
from services.pages.visitor import Visitor
from services.stores import achievements, history
from services.stores.achievements import DetailAsked
from services.stores.history import Told
from services.why.answer import Asked as WhyAsked
from services.why.answer import why as why_for

OTHERS: Final = 24
FIRST_MISSING: Final = 10
LONGEST_CONTEXT: Final = 64

router = page_router()


@dataclass(frozen=True, slots=True)
class Rung:
    """One tier of the ladder; `state` is earned, ahead or unreachable."""

    tier: str
    tone: str
    target: str
    state: str
    day: str
    path: str
    here: bool


@dataclass(frozen=True, slots=True)
class Other:
    """Another label, artist or master that the badge was earned for."""

    name: str
    day: str
    path: str
    here: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """Why it was earned: the day, sentences, and of a chain of artists their names."""

    day: str
    how: str | None
    sentences: list[str]
    chain: list[str]
    today: str | None


@router.get("/me/badges/{key}")
async def detail(
    request: Request,
    who: Visitor,
    key: str,
    context: Annotated[str, Query(max_length=LONGEST_CONTEXT)] = "",
    cursor: Annotated[str | None, Query(max_length=LONGEST_CURSOR)] = None,
) -> Response:
    """A badge, as a page or as a dialog over the one the visitor looks at."""
    parts, t, after = parts_of(request), texts(request), place(cursor)
    view, badge = parts.view, parts.view.catalog.badges.get(key)
    shown = None
    if may_be_a_key(key):
        family, score = view.family(key), 0 if badge is None else badge.sort_score
        row = await parts.reads.details.ask(DetailAsked(who.user_id, key, family, score, OTHERS, after))
        shown = view.detail(key, achievements.detail(row, OTHERS))
    if shown is None or "\0" in context:
        raise Problem(UNKNOWN_ACHIEVEMENT, "There is no such badge.")
    context = context or shown["context"]
    told = await parts.reader.ask(history.of_context, who.user_id, family, context)
    locked, name = None, told[key].evidence.get(context.partition(":")[0]) if key in told else None
    if badge is not None and key not in told:
        asked = WhyAsked(key, context, datetime.now(UTC))
        locked, context, name = await _what_is_missing(request, t, who.user_id, badge, asked)
        told = await parts.reader.ask(history.of_context, who.user_id, family, context)
    values: dict[str, Any] = {
        "badge": shown,
        "tier": "" if badge is None or badge.tier is None else words.tier(t, badge.tier),
        "tone": tone(badge),
        "icon": None if badge is None else icon_path(badge, locked=key not in told),
        "category": t(f"category.{shown['category']}"),
        "about": shown["description"] if badge is None else words.about(t, badge),
        "of": words.context_name(t, context, name),
        "proof": proof(t, told[key], shown["awards"], context) if key in told else None,
        "locked": locked,
        "award": {"key": key, "context": context, "pinned": key in told and told[key].pinned}
        | {"name": shown["name"], "tier": "" if badge is None or badge.tier is None else words.tier(t, badge.tier)},
        "share": f"/me/share?{urlencode({'key': key, 'context': context})}",
        "rarity": rarity(t, shown["rarity"]),
        "ladder": [] if badge is None else ladder(t, view.catalog.families[badge.family], told, badge, context),
        "others": others(t, key, shown["awards"], context) if cursor or len(shown["awards"]) > 1 else [],
        "more": _more(key, context, shown["next_cursor"]),
    }
    return page(request, "detail_part.html" if request.headers.get("hx-request") == "true" else "detail.html", **values)


async def _what_is_missing(
    request: Request, t: Texts, user_id: str, badge: BadgeDefinition, asked: WhyAsked
) -> tuple[Locked, str, str | None]:
    """What is missing, and the context for which with its name: the one asked for, else the nearest.

    Raises:  Problem 422 for a context that the badge does not have, 404 where it is a secret.
    """
    parts = parts_of(request)
    try:
        why = await parts.reader.ask(why_for, user_id, parts.view.catalog, asked)
        if why is None:
            raise Problem(UNKNOWN_ACHIEVEMENT, "There is no such badge.")
        first = MissingAsked(badge, why["context"], FIRST_MISSING, None, asked.now)
        missing = await parts.reader.ask(missing_for, user_id, first)
    except Unfit as unfit:
        raise Problem(INVALID, str(unfit)) from None
    if missing is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, "There is no such badge.")
    return locked_of(t, badge, why, missing), why["context"], missing["context_name"]


def proof(t: Texts, told: Told, awards: Sequence[Mapping[str, Any]], context: str) -> Proof:
    """Why the badge was earned in this context, and where a share of a catalogue stands today."""
    today = next((one["today"] for one in awards if one["context"] == context), None)
    if today is not None:
        share = evidence.percent(today["percentage"])
        today = t("evidence.today", owned=today["owned"], total=today["total"], percentage=share)
    how = f"evidence.{told.source}"
    return Proof(
        day=t.day(told.at.date()),
        how=t(how) if how in t else None,
        sentences=evidence.sentences(t, told.evidence),
        chain=evidence.path(told.evidence),
        today=today,
    )


def ladder(
    t: Texts, tiers: Sequence[BadgeDefinition], told: Mapping[str, Told], shown: BadgeDefinition, context: str
) -> list[Rung]:
    """The tiers of a family in one context; of what is secret or retired only what was earned."""
    rungs = []
    for badge in tiers if len(tiers) > 1 else ():
        earned = told.get(badge.key)
        if earned is None and (badge.secret or badge.retired):
            continue
        target = target_of(badge.criterion)
        unit = "\u00a0%" if isinstance(badge.criterion, Coverage) else ""
        far = earned is None and out_of_reach(badge.criterion) is not None
        rungs.append(
            Rung(
                tier=words.tier(t, badge.tier),
                tone=tone(badge),
                target="" if target is None else f"{t.number(target)}{unit}",
                state="unreachable" if far else "ahead" if earned is None else "earned",
                day="" if earned is None else t.day(earned.at.date()),
                path=badge_path(badge.key, context),
                here=badge.key == shown.key,
            )
        )
    return rungs


def others(t: Texts, key: str, awards: Sequence[Mapping[str, Any]], context: str) -> list[Other]:
    """What else the badge was earned for, this one among them."""
    return [
        Other(
            words.context_name(t, of, msgspec.json.decode(award["evidence"]).get(of.partition(":")[0])) or "",
            t.day(parse_time(award["unlocked_at"]).date()),
            badge_path(key, of),
            of == context,
        )
        for award in awards
        if (of := award["context"])
    ]


def rarity(t: Texts, counted: Mapping[str, Any]) -> str | None:
    """How many hold the badge, and which of them the visitor was, where that is known."""
    holders, rank = counted["holders"], counted["rank"]
    if not holders:
        return None
    if rank is None:
        return t("detail.holders", n=holders)
    if holders == 1:
        return t("detail.only")
    return t("detail.rank", rank=ordinal(rank) if t.language == "en" else f"{rank}.", n=max(holders, rank))


def _more(key: str, context: str, cursor: str | None) -> str | None:
    return None if cursor is None else f"{badge_path(key)}?{urlencode({'context': context, 'cursor': cursor})}"
