"""`collection.synced`: the user's graph is due to be measured, by the graph lane."""

from __future__ import annotations

from collections.abc import Sequence

from services.stores import collectors, graph
from services.stores.awards import NewAward
from services.stores.graph import Due
from services.worker.work import Accepted, Work


async def mark_due(work: Work, accepted: Sequence[Accepted], partition: int) -> list[NewAward]:
    """Make each user due, for the newest sync; one that is older than a deletion has no effect.

    A sync makes nobody known: of whom nothing else comes, nothing is kept but the due row, and the lane drops that. The
    pages of a collection come by another topic, so a sync may be read before them: it must not be lost for that.
    """
    standing = await work.lock(accepted)
    newest: dict[str, Due] = {}
    for one in standing:
        event = one.event
        due = Due(event.subject, partition, event.source, event.id, event.time)
        known = newest.setdefault(event.subject, due)
        if (due.event_time, due.event_id, due.source) > (known.event_time, known.event_id, known.source):
            newest[event.subject] = due
    await graph.mark_due(work.connection, newest.values())
    # They were created to be locked, and to hear of a deletion.
    unknown = [user for user, collector in work.collectors.items() if collector.created]
    for user in unknown:
        del work.collectors[user]
    await collectors.remove(work.connection, unknown)
    return []
