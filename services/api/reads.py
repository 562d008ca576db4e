"""The answers that are read most: asked for several users at a time, and kept until what they are made from changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from services.api.answers import Answer, answer
from services.api.gathered import Gathered
from services.api.kept import Kept
from services.api.reader import Reader
from services.api.view import View
from services.stores import achievements
from services.stores.achievements import DetailAsked, Page, PageAsked, Place, detail
from services.stores.postgres import Connection
from services.stores.standings import standing, standings


class Reads:
    """List, progress and detail."""

    def __init__(self, view: View, reader: Reader, kept: Kept) -> None:
        self._view, self._kept = view, kept
        self._pages = Gathered(reader, self._ask_pages)
        self.standings = Gathered(reader, self._ask_standings)
        self.details = Gathered(reader, achievements.details)

    async def page(self, user_id: str, limit: int, after: Place | None) -> Answer:
        """A page of the user's awards.

        Raises:  Problem 503.
        """
        key = ("page", user_id, limit, after)
        kept = self._kept.find(key)
        page = await self._pages.ask(PageAsked(user_id, limit, None if kept is None else kept[0], after))
        if page is None:
            assert kept is not None
            return kept[1]
        made = answer(self._view.page(page))
        self._kept.keep(key, page.digest, made)
        return made

    async def progress(self, user_id: str, limit: int) -> Answer:
        """The next tiers, as of today (UTC).

        Raises:  Problem 503.
        """
        row, now = await self.standings.ask(user_id), datetime.now(UTC)
        key, made_from = ("progress", user_id, limit), (now.date(), row)
        if (kept := self._kept.find(key)) is not None and kept[0] == made_from:
            return kept[1]
        made = answer(self._view.progress(standing(row), now, limit))
        self._kept.keep(key, made_from, made)
        return made

    async def detail(self, user_id: str, key: str, limit: int, after: Place | None) -> Answer | None:
        """One badge; None where the user must not know of it.

        Raises:  Problem 503.
        """
        badge, family = self._view.catalog.badges.get(key), self._view.family(key)
        score = 0 if badge is None else badge.sort_score
        row = await self.details.ask(DetailAsked(user_id, key, family, score, limit, after))
        kept_as = ("detail", user_id, key, limit, after)
        if (kept := self._kept.find(kept_as)) is not None and kept[0] == row:
            return kept[1]
        shown = self._view.detail(key, detail(row, limit))
        if shown is None:
            return None
        made = answer(shown)
        self._kept.keep(kept_as, row, made)
        return made

    async def _ask_pages(self, connection: Connection, asked: Sequence[PageAsked]) -> list[Page | None]:
        return await achievements.pages(connection, asked, self._view.places)

    async def _ask_standings(self, connection: Connection, users: Sequence[str]) -> list[asyncpg.Record]:
        view = self._view
        return await standings(connection, users, view.master_badges, view.highest, view.nearest, view.coverage)
