"""What a worker would know, for trials: values that have no id get one that nothing stores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from catalog.index import Catalog
from services.stores.facts import FacetIds
from services.stores.postgres import Connection
from services.worker.work import Knowledge

_FIRST_ID: Final = 2**31  # behind every id that PostgreSQL gives: identity columns are signed


class TrialIds(FacetIds):
    """Ids of values as stored; a value without one gets an id for as long as this object lives."""

    async def ensure(self, connection: Connection, values: Iterable[tuple[str, str]]) -> None:
        """Give each value an id, here alone."""
        for value in sorted(await self.find(connection, values)):
            self._ids[value] = _FIRST_ID + len(self._ids)


def trial_knowledge(catalog: Catalog) -> Knowledge:
    """What a worker would know; it may serve many trials, one after another."""
    return Knowledge(catalog, erasure_key=b"", owner="trial", facet_ids=TrialIds())
