"""`cron.sweep`: a user recounted from the stored sets, drift repaired and reported, badges evaluated.

Without a campaign every badge is, at the event's time. A campaign evaluates its own badges alone; one that was
cancelled, is rolled back or is not known evaluates none.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Sequence

from catalog.definition import SWEEP
from services.logs import logger
from services.metrics import DRIFT
from services.stores import alarms, campaigns
from services.stores.awards import NewAward
from services.stores.campaigns import Giving
from services.stores.dead_letters import Letter
from services.stores.postgres import Connection
from services.worker import reading, recounting
from services.worker.awarding import Awarding, occasion_at
from services.worker.backfill import backfill
from services.worker.reading import Said, Sets
from services.worker.recounting import Recount
from services.worker.work import FAULTS, Accepted, EventFailed, Work

log = logger(__name__)


async def sweep(work: Work, accepted: Sequence[Accepted]) -> list[NewAward]:
    """Recount, repair and evaluate each user; a user who is not known has nothing to sweep.

    A sweep older than a deletion recounts as well: it may bring what the catalogue said before the deletion.

    Raises:  EventFailed naming the event at fault; nothing is kept then.
    """
    given: list[NewAward] = []
    for some in _rounds(await work.lock(accepted, create=False, void_too=True)):
        giving = await _giving(work, some)
        sets, said = await _read(work, some, _metrics(work, some, giving.values()))
        asking: dict[str, list[tuple[Accepted, Recount]]] = {}
        for one in some:
            found = await _recount(work, one, sets[one.event.subject], said)
            campaign_id = one.event.data.campaign_id
            if campaign_id is None:
                given += await evaluate(work, one, found)
            else:
                asking.setdefault(campaign_id, []).append((one, found))
        for campaign_id, those in asking.items():
            if campaign_id in giving:
                given += await backfill(work, those, giving[campaign_id])
            await recounting.save(work.connection, *(found for _, found in those if found.differs))
            work.collectors |= {found.collector.user_id: found.collector for _, found in those}
    return given


async def _giving(work: Work, some: Iterable[Accepted]) -> dict[str, Giving]:
    """The campaigns of these events that give awards, by id."""
    asking = [one.event for one in some if one.event.data.campaign_id is not None]
    if not asking:
        return {}
    ids, users = {event.data.campaign_id for event in asking}, [event.subject for event in asking]
    return {one.campaign_id: one for one in await campaigns.giving(work.connection, ids, users)}


def _metrics(work: Work, some: Iterable[Accepted], giving: Iterable[Giving]) -> frozenset[str]:
    """What the badges read that these events evaluate."""
    indices = [work.knowledge.index_of(one.badge_keys) for one in giving]
    if any(one.event.data.campaign_id is None for one in some):
        indices.append(work.knowledge.catalog.trigger(SWEEP))
    return frozenset(metric for index in indices for metric in index.metrics)


def _rounds(standing: Iterable[Accepted]) -> list[list[Accepted]]:
    """The events in order, each user once in a round: what a round writes the next one reads."""
    rounds: list[list[Accepted]] = []
    turns: Tally[str] = Tally()
    for one in standing:
        turn = turns[one.event.subject]
        turns[one.event.subject] += 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(one)
    return rounds


async def _read(work: Work, some: Sequence[Accepted], metrics: frozenset[str]) -> tuple[dict[str, Sets], Said]:
    """The sets of different users, read together; one by one only to find whose cannot be read."""
    stored = [work.collectors[one.event.subject] for one in some]
    try:
        return await reading.sets_and_said(work.connection, stored, metrics)
    except FAULTS:
        for one, collector in zip(some, stored, strict=True):
            try:
                await reading.sets_and_said(work.connection, [collector], metrics)
            except FAULTS as error:
                raise EventFailed(one.offset) from error
        raise


async def _recount(work: Work, one: Accepted, sets: Sets, said: Said) -> Recount:
    try:
        stored = work.collectors[one.event.subject]
        found = await recounting.counted_again(work.connection, work.knowledge, stored, sets, said, refresh=True)
    except FAULTS as error:
        raise EventFailed(one.offset) from error
    if found.drift:
        DRIFT.inc(len(found.drift))
        await alarms.note_drift(work.connection, sorted(found.drift)[:20])
        log.warning("drift repaired", offset=one.offset, counters=sorted(found.drift)[:20])
    return found


async def evaluate(work: Work, one: Accepted, found: Recount) -> list[NewAward]:
    """Evaluate every badge on recounted state at the event's time, and write both.

    Where that time is void by a deletion, what is left is dated with the newest event left, as the deletion did it.
    """
    time = recounting.judged_at(one.event, found, stands=work.stands(one.event))
    awarding = Awarding(work.knowledge.catalog, {one.event.subject: found.holdings})
    awarding.judge_everything(one.event, found.collector, occasion_at(one.event.type, time))
    given = await awarding.settle(work.connection)
    await recounting.save(work.connection, found)
    work.collectors[one.event.subject] = found.collector
    return given


async def count_campaigns(
    connection: Connection,
    partition: int,
    accepted: Iterable[Accepted],
    buried: Iterable[Letter],
    given: Iterable[NewAward],
) -> None:
    """Count what a bundle did of campaigns: a user of whom nothing is known, or whose sweep fails, is done as well."""
    users: Tally[str | None] = Tally(one.event.data.campaign_id for one in accepted)
    users.update(_campaign_of(letter) for letter in buried)
    awards = Tally(award.campaign_id for award in given)
    await campaigns.count(connection, partition, {one: (users[one], awards[one]) for one in users if one is not None})


def _campaign_of(letter: Letter) -> str | None:
    """The campaign whose sweep became this letter: a fault of ours, for the relay wrote it."""
    names = [value for name, value in letter.headers if name == "ce_id" and value is not None]
    return campaigns.campaign_in(names[0].decode("utf-8", "replace")) if names else None
