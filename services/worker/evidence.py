"""What evidence names beside the numbers, where that takes a question to PostgreSQL: asked for new awards alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.state.collector import Collector
from services.state.facts import Facts
from services.state.holdings import Holding
from services.stores import catalogue, ownership
from services.stores.postgres import Connection

TO_NAME: Final = frozenset({"oldest_age_years", "first_pressings"})
"""Metrics whose evidence names a record."""


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest record, once it is named.

    Shape:   `year` is its year, `number` how many releases of that year are counted, `known` the facts counted for the
             releases at hand (None: not owned), as they were when the award was earned.
    """

    user_id: str
    year: int
    number: int
    known: Mapping[int, Facts | None]

    async def named(self, connection: Connection) -> dict[str, Any]:
        """Of those at hand and those only stored, the smallest release id."""
        found = {one: facts for one, facts in self.known.items() if facts and facts.pressing_year() == self.year}
        if len(found) < self.number:
            stored = await ownership.oldest(connection, self.user_id, self.year)
            found |= {one: facts for one, facts in stored.items() if one not in self.known}
        release_id = min(found)
        return {"oldest": {"release_id": release_id, "title": found[release_id].title, "year": self.year}}


@dataclass(frozen=True, slots=True)
class FirstPressing:
    """A first pressing, once the catalogue has named its date and how many dated versions its master has."""

    release_id: int

    async def named(self, connection: Connection) -> dict[str, Any]:
        """What the catalogue says of it."""
        return {"first_pressing": await catalogue.first_pressing(connection, self.release_id)}


def named_holding(holding: Holding) -> dict[str, Any]:
    """What evidence says of an item of a collection."""
    facts = holding.facts() or holding.statement.facts
    return {"release_id": holding.release_id, "title": facts.title}


def named_wish(release_id: int) -> dict[str, Any]:
    """What evidence says of a wish: of what is not owned, the id alone."""
    return {"release_id": release_id}


def unnamed(
    metric: object, collector: Collector, holdings: Mapping[int, Holding], item: Mapping[str, Any] | None
) -> Oldest | FirstPressing | None:
    """What is still to be named in the evidence of a badge that measures `metric`; `item` is the one that earned it."""
    if metric == "oldest_age_years" and collector.oldest_year is not None:
        year = collector.oldest_year
        known = {release_id: holding.facts() for release_id, holding in holdings.items()}
        return Oldest(collector.user_id, year, collector.years.between(year, year), known)
    if metric == "first_pressings":
        if item is not None:
            return FirstPressing(item["release_id"])
        firsts = [release_id for release_id, holding in holdings.items() if holding.first_pressing]
        return FirstPressing(min(firsts)) if firsts else None
    return None
