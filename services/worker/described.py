"""`release.described`: the catalogue learns; owners whose facts changed get a `cron.sweep` with the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.envelope import Event
from services.state.facets import bounded_values
from services.state.facts import Stamp, state_of
from services.state.holdings import Entry
from services.stores import catalogue, facts, inbox, news
from services.stores.awards import NewAward
from services.stores.news import News
from services.worker.work import Accepted, Work


def stated_values(accepted: Iterable[Accepted]) -> set[tuple[str, str]]:
    """The bounded facets' values that these events state."""
    return {value for one in accepted for value in bounded_values(state_of(one.event.data, one.event.time.year))}


async def describe(work: Work, accepted: Sequence[Accepted]) -> list[NewAward]:
    """Merge each statement into the catalogue, per field the newest; owners are told later. The lock is exclusive."""
    connection = work.connection
    said = await catalogue.load(connection, {one.event.data.id for one in accepted})
    masters = await catalogue.masters_of(connection, said)
    learned: list[tuple[Event, int, bytes]] = []
    for one in accepted:
        event, release_id = one.event, one.event.data.id
        entry = said.setdefault(release_id, Entry())
        before = entry.statement.facts
        stated = state_of(event.data, event.time.year)
        if entry.statement.say(stated, Stamp(event.time, event.id, event.source)) and entry.statement.facts != before:
            learned.append((event, release_id, entry.statement.facts.content))
    known = {release_id: entry.statement for release_id, entry in said.items() if entry.statement.stamp is not None}
    if not known:
        return []
    await catalogue.save(connection, known)
    masters |= await catalogue.masters_of(connection, known)
    moved = await catalogue.date_masters(connection, masters)
    await _tell(work, learned, moved)
    return []


async def _tell(work: Work, learned: Sequence[tuple[Event, int, bytes]], moved: Iterable[int]) -> None:
    """Remember whom to tell: the owners of what was described, and of what is a first pressing now, or no more."""
    if not learned:
        return
    connection = work.connection
    ids = await facts.resolve(connection, {(release_id, content) for _, release_id, content in learned})
    found = [
        News(cause(event.source, event.id), event.time, release_id, ids[release_id, content])
        for event, release_id, content in learned
    ]
    last = learned[-1][0]
    others = await catalogue.facts_ids(connection, set(moved) - {release_id for _, release_id, _ in learned})
    found += [
        News(f"{cause(last.source, last.id)}+{release_id}", last.time, release_id, facts_id)
        for release_id, facts_id in sorted(others.items())
    ]
    await news.add(connection, found)


def cause(source: str, event_id: str) -> str:
    """What the sweeps that tell of it are named after: short, however long the names of the event are."""
    return f"described:{inbox.identity(source, event_id).hex()}"
