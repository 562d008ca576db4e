"""`release.described`: the catalogue learns; owners whose facts changed get a `cron.sweep` with the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from contracts.envelope import Event
from services.state.facets import bounded_values
from services.state.facts import Stamp, Statement, state_of
from services.stores import awards, catalogue, inbox
from services.stores.awards import Message, NewAward
from services.worker.work import Accepted, Work

CHUNK: Final = 5000  # owners told in one statement


def stated_values(accepted: Iterable[Accepted]) -> set[tuple[str, str]]:
    """The bounded facets' values that these events state."""
    return {value for one in accepted for value in bounded_values(state_of(one.event.data, one.event.time.year))}


async def describe(work: Work, accepted: Sequence[Accepted]) -> list[NewAward]:
    """Merge each statement into the catalogue, per field the newest, and tell the owners; the lock is exclusive."""
    connection = work.connection
    said = await catalogue.load(connection, {one.event.data.id for one in accepted})
    for one in accepted:
        event, release_id = one.event, one.event.data.id
        facts = state_of(event.data, event.time.year)
        statement = said.setdefault(release_id, Statement())
        before = statement.facts
        if statement.say(facts, Stamp(event.time, event.id, event.source)) and statement.facts != before:
            owners = await catalogue.owners_to_tell(connection, release_id, statement.facts)
            for start in range(0, len(owners), CHUNK):
                await awards.publish(connection, [_sweep(user, event) for user in owners[start : start + CHUNK]])
    known = {release_id: statement for release_id, statement in said.items() if statement.stamp is not None}
    if known:
        await catalogue.save(connection, known)
    return []


def _sweep(user: str, event: Event) -> Message:
    return Message("cron.sweep", user, sweep_id(event.source, event.id, user), event.time, b"{}")


def sweep_id(source: str, event_id: str, user: str) -> str:
    """The same for every delivery, and short however long the names of the cause are."""
    return f"described:{inbox.identity(source, event_id).hex()}:{user}"
