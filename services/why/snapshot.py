"""A user's counters as evaluators take them, looked at without a lock."""

from __future__ import annotations

from typing import Final

from services.state.collector import OF_CONTEXTS, Collector
from services.state.facets import MASTER
from services.stores import catalogue, collectors, graph, ownership
from services.stores import why as store
from services.stores.postgres import Connection
from services.worker import reading

_FACETS: Final = {kind: facet for facet, (_, kind) in OF_CONTEXTS.items()}


async def whole(connection: Connection, user_id: str) -> Collector | None:
    """All counts of a user, in every context; None for one who is not known."""
    collector = (await collectors.load(connection, [user_id])).get(user_id)
    if collector is not None:
        await reading.give_counts(connection, {user_id: collector})
        collector.totals = await catalogue.totals(connection, collector.unbounded)
    return collector


async def of_context(connection: Connection, user_id: str, context: str) -> tuple[Collector, str | None]:
    """The counters with those of one context ('': none of them), and the context's name as far as it is known.

    Shape:   all zero for a user who is not known.
    """
    collector = (await collectors.load(connection, [user_id])).get(user_id) or Collector(user_id)
    if not context:
        collector.graph = await graph.measured(connection, user_id)
        return collector, None
    kind, _, id_ = context.partition(":")
    key = (_FACETS[kind], int(id_))
    counts = await ownership.load_counts(connection, [(user_id, *key)])
    collector.unbounded = counts.get(user_id, ({}, {}))[0]
    if key[0] == MASTER:
        collector.titles[key[1]] = name = await store.master(connection, key[1])
        return collector, name
    collector.totals = await catalogue.totals(connection, [key])
    return collector, collector.totals[key].name if key in collector.totals else None
