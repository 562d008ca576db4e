"""What is missing for a badge: the questions to PostgreSQL that it needs, and the answer of API and command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

from catalog.definition import TENURE_METRIC, BadgeDefinition, Coverage, Tenure, Threshold
from contracts.countries import COUNTRIES
from contracts.genres import GENRES
from contracts.snapshot import METRICS, measure
from evaluators.remaining import EARNED, REVOKED, needed_for, remaining
from services.api.view import target_of
from services.cursors import cursor_of
from services.missing.asked import Asked, fitting
from services.state.collector import TASTE_FROM, Collector
from services.state.facets import SIZES
from services.stores import missing as store
from services.stores.missing import Item, Mark, Whole
from services.stores.postgres import Connection

Json: TypeAlias = dict[str, Any]

FIRST_DECADE: Final = 1900
CLOSED: Final = {"genres": ("genre", sorted(GENRES)), "countries": ("country", sorted(COUNTRIES))}
OPEN: Final[dict[str, tuple[str, Sequence[str]]]] = {"styles": ("style", ()), "formats": ("format", SIZES)}


class _Found(NamedTuple):
    """What an answer is made of; `entries` are (mark, entry as it is shown)."""

    context: str
    name: str | None
    owned: int | None
    total: int | None
    as_of: str | None
    held: bool | None
    needed: int | None
    entries: list[tuple[Mark, Json]]
    more: bool


async def missing(connection: Connection, user_id: str, asked: Asked) -> Json | None:
    """The answer; None where the user must not know of the badge.

    Raises:  Unfit for a context that the badge does not have, or a cursor of another context.
    """
    badge = asked.badge
    if badge.secret and not await store.seen(connection, user_id, badge.key):
        return None
    asked = asked._replace(context=fitting(asked))
    if badge.context_kind:
        found = await _of_a_whole(connection, user_id, asked)
    else:
        found = await _of_all(connection, user_id, asked)
    return _answer(badge, found)


async def _of_a_whole(connection: Connection, user_id: str, asked: Asked) -> _Found:
    """Of a label, an artist or a master."""
    badge, criterion = asked.badge, asked.badge.criterion
    whole = cast(Whole, badge.context_kind)
    if asked.context:
        id_ = int(asked.context.partition(":")[2])
    else:
        least = criterion.min_total if isinstance(criterion, Coverage) else 1
        target = target_of(criterion) or 1
        nearest = await store.nearest(connection, user_id, whole, badge.key, target=target, min_total=least)
        if nearest is None:
            return _Found("", None, 0, None, None, None, None, [], False)
        id_ = nearest
    context = f"{whole}:{id_}"
    gap = await store.gap(connection, user_id, whole, id_, badge.key, asked.limit, asked.after)
    needed = needed_for(criterion, gap.owned, {"owned": gap.owned, "total": gap.total})
    as_of = None if gap.as_of is None else gap.as_of.isoformat()
    entries = [(Mark(context, item.at, item.id), _shown(item, masters=whole == "artist")) for item in gap.items]
    return _Found(context, gap.name, gap.owned, gap.total, as_of, gap.held, needed, entries, gap.more)


def _shown(item: Item, *, masters: bool) -> Json:
    identity = {"master_id": item.id} if masters and item.id > 0 else {"release_id": abs(item.id)}
    return {**identity, "title": item.title, "year": item.year}


async def _of_all(connection: Connection, user_id: str, asked: Asked) -> _Found:
    """Of all that the user owns or has done."""
    badge, now = asked.badge, asked.now
    standing = await store.standing(connection, user_id, badge.key)
    collector, criterion = standing.collector, badge.criterion
    metric = _metric_of(badge)
    owned = None if metric is None else measure(collector, metric, "", now.date())
    needed = needed_for(criterion, owned, {})
    name, total, more = None, None, False
    entries: list[tuple[Mark, Json]] = []
    if metric in OPEN:
        facet, first = OPEN[metric]
        had = [id_ for id_, _ in collector.facets]
        found = await store.values(connection, facet, had, first, asked.limit, asked.after)
        total, more = found.total, found.more
        entries = [(Mark("", None, id_), {"value": value}) for id_, value in found.page]
    else:
        if metric in CLOSED:
            facet, every = CLOSED[metric]
            total = len(every)
            known = await store.names(connection, [id_ for id_, _ in collector.facets])
            covered = {value for of, value in known.values() if of == facet}
            entries = [(Mark("", None, at), {"value": value}) for at, value in enumerate(every) if value not in covered]
        elif metric == "decades":
            empty = _decades_without(collector, now.year)
            total = (owned or 0) + len(empty)
            entries = [(Mark("", None, decade), {"value": f"{decade}s"}) for decade in empty]
        elif metric == "largest_decade" and (decade := collector.details(metric).get("decade")) is not None:
            name = f"{decade}s"
            if needed:
                entries = [(Mark("", None, decade), {"value": name, "owned": owned, "needed": needed})]
        elif metric == "taste_dimensions":
            entries = await _nearly_taste(connection, collector)
        entries, more = _page(entries, asked)
    return _Found("", name, owned, total, None, standing.held, needed, entries, more)


def _metric_of(badge: BadgeDefinition) -> str | None:
    match badge.criterion:
        case Threshold(metric=metric):
            return metric
        case Tenure():
            return TENURE_METRIC
        case _:
            return None


def _decades_without(collector: Collector, year: int) -> list[int]:
    with_releases = collector.by_decade()
    return [decade for decade in range(FIRST_DECADE, year + 1, 10) if decade not in with_releases]


async def _nearly_taste(connection: Connection, collector: Collector) -> list[tuple[Mark, Json]]:
    """Genres and styles with a release, but too few of them to count; nearest first, then by name."""
    few = {id_: number for id_, number in collector.facets if number < TASTE_FROM}
    known = await store.names(connection, few)
    tasted = [(few[id_], value, facet, id_) for id_, (facet, value) in known.items() if facet in ("genre", "style")]
    tasted.sort(key=lambda one: (-one[0], *one[1:]))
    return [
        (Mark("", None, at), {"value": value, "facet": facet, "owned": number, "needed": TASTE_FROM - number})
        for at, (number, value, facet, _) in enumerate(tasted)
    ]


def _page(entries: list[tuple[Mark, Json]], asked: Asked) -> tuple[list[tuple[Mark, Json]], bool]:
    """The entries behind the mark, whose ids rise."""
    if (after := asked.after) is not None:
        entries = [entry for entry in entries if entry[0].id > after.id]
    return entries[: asked.limit], len(entries) > asked.limit


def _answer(badge: BadgeDefinition, found: _Found) -> Json:
    needed = 0 if found.held else None if found.held is False or badge.retired else found.needed
    if found.held:
        words = EARNED
    elif found.held is False:
        words = REVOKED
    elif badge.context_kind and not found.context:
        words = badge.description
    else:
        words = remaining(badge, needed, found.name, total=found.total)
    return {
        "id": badge.key,
        "context": found.context,
        "context_name": found.name if found.context else None,
        "kind": _kind(badge),
        "owned": found.owned,
        "total": found.total,
        "as_of": found.as_of,
        "target": target_of(badge.criterion),
        "needed": needed,
        "remaining": words,
        "missing": [entry for _, entry in found.entries],
        "next_cursor": cursor_of(found.entries[-1][0]) if found.more else None,
    }


def _kind(badge: BadgeDefinition) -> str | None:
    """What is counted: "releases", "masters", "genres"."""
    if isinstance(badge.criterion, Coverage):
        return "releases" if badge.criterion.of == "label" else "masters"
    metric = _metric_of(badge)
    return None if metric is None else METRICS[metric].unit
