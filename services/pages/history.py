"""The history of a collection: a chart of what came when, and the awards month by month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Request, Response

from catalog.index import Catalog
from services.api.routes import LONGEST_CURSOR, parts_of, place
from services.api.view import cursor_of
from services.pages.cards import Card, card
from services.pages.faults import page_router
from services.pages.render import page, texts
from services.pages.texts import Texts
from services.pages.visitor import Visitor
from services.stores import history as store
from services.stores.achievements import Award, moment
from services.stores.history import Month
from services.stores.showcase import Best

AWARDS: Final = 60

router = page_router()


@dataclass(frozen=True, slots=True)
class Chapter:
    """The awards of one month, as far as they are on this page; `number` counts all of that month."""

    name: str
    month: date
    number: int | None
    continued: bool
    cards: list[Card]


@router.get("/me/history")
async def history(
    request: Request, who: Visitor, cursor: Annotated[str | None, Query(max_length=LONGEST_CURSOR)] = None
) -> Response:
    """What came when: first the chart with its table, then the newest awards; behind a cursor the awards alone."""
    parts, t = parts_of(request), texts(request)
    after = place(cursor)
    months = await parts.reader.ask(store.months, who.user_id)
    awards, more = await parts.reader.ask(store.awards, who.user_id, parts.view.scores, AWARDS, after)
    return page(
        request,
        "history.html",
        months=months,
        chapters=chapters(t, parts.view.catalog, awards, months, None if after is None else moment(after.at).date()),
        first=cursor is None,
        older=f"/me/history?{urlencode({'cursor': cursor_of(awards[-1])})}" if more else None,
    )


def chapters(
    t: Texts, catalog: Catalog, awards: Iterable[Award], months: Sequence[Month], after: date | None = None
) -> list[Chapter]:
    """The awards, newest first, by month; the page before this one ended at the date `after`."""
    numbers = {month.month: month.badges for month in months}
    begun = None if after is None else after.replace(day=1)
    return [
        Chapter(
            t.month(month),
            month,
            numbers.get(month),
            month == begun,
            [card(t, catalog, _best(award)) for award in of_month],
        )
        for month, of_month in groupby(awards, lambda award: moment(award.at).date().replace(day=1))
    ]


def _best(award: Award) -> Best:
    evidence = msgspec.json.decode(award.evidence)
    name = evidence.get(award.context.partition(":")[0])
    return Best(award.badge_key, award.context, award.at, award.evidence, name, "", 0)
