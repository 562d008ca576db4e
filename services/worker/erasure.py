"""`user.deleted`: all of a user that is not newer goes; what is left is recounted and evaluated at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from contracts.envelope import Event
from services.state.facts import NOTHING
from services.state.holdings import Copy, Holding
from services.stores import collectors, erasure, facts, ownership
from services.stores.awards import NewAward
from services.worker import recounting
from services.worker.awarding import Awarding, occasion_at
from services.worker.recounting import Recount
from services.worker.work import FAULTS, Accepted, EventFailed, Work


async def erase(work: Work, accepted: Sequence[Accepted]) -> list[NewAward]:
    """Erase each user up to the event's time, in order; one older than the last only takes dead letters along.

    Raises:  EventFailed naming the event at fault; nothing is kept then.
    """
    given: list[NewAward] = []
    await work.lock(accepted)
    for one in accepted:
        if one.event.subject not in work.collectors:
            await work.lock([one])  # an earlier deletion took the row away
        try:
            if work.stands(one.event):
                given += await _erase(work, one)
            else:
                await erasure.forget_letters(work.connection, one.event.subject)
        except FAULTS as error:
            raise EventFailed(one.offset) from error
    return given


async def _erase(work: Work, one: Accepted) -> list[NewAward]:
    connection, event = work.connection, one.event
    user, until = event.subject, event.time
    collector = work.collectors[user]
    collector.erased_at = max(collector.erased_at or until, until)
    hash_ = collectors.user_hash(work.knowledge.erasure_key, user)
    await collectors.erase(connection, hash_, until)
    await erasure.forget(connection, user, until)
    await erasure.forget_log(connection, user, hash_, until)
    spoken = await _forget_facts(work, user, one)
    collector.seen_on = None  # what is left says when the user was seen
    found = await recounting.recount(connection, work.knowledge, collector, refresh=True)
    await recounting.save(connection, found)
    await facts.prune(connection, spoken)
    if found.newest is None:
        await erasure.forget_given(connection, user, hash_)
        await collectors.remove(connection, [user])
        del work.collectors[user]
        return []
    work.collectors[user] = found.collector
    return await _evaluate_rest(work, one, found)


async def _forget_facts(work: Work, user: str, one: Accepted) -> list[int]:
    """Drop the user's statements no newer than the deletion; answers every release the user spoke of."""
    left = await ownership.copies_of(work.connection, user)
    holdings = await ownership.holdings_of(work.connection, user)
    changed, gone = forget_statements(holdings, left.values(), one.event.time)
    await ownership.save_holdings(work.connection, {(user, release): holdings[release] for release in changed})
    await erasure.forget_releases(work.connection, user, gone)
    return list(holdings)


def forget_statements(
    holdings: Mapping[int, Holding], left: Iterable[Copy], until: datetime
) -> tuple[list[int], list[int]]:
    """Drop what was said no later than `until`; answers the releases that changed, and those with nothing left."""
    owned = {copy.release_id for copy in left if copy.present}
    changed, gone = [], []
    for release, holding in holdings.items():
        before = holding.statement.facts
        holding.statement.forget(until)
        if holding.statement.facts == NOTHING and release not in owned:
            gone.append(release)
        elif holding.statement.facts != before:
            changed.append(release)
    return changed, gone


async def _evaluate_rest(work: Work, one: Accepted, found: Recount) -> list[NewAward]:
    """What newer events left may earn badges anew, dated with the newest of them."""
    awarding = Awarding(work.knowledge.catalog, {one.event.subject: found.holdings})
    judge_rest(awarding, one.event, found)
    given = await awarding.settle(work.connection)
    await collectors.save(work.connection, [found.collector])
    return given


def judge_rest(awarding: Awarding, event: Event, found: Recount) -> None:
    """Evaluate everything anew on what a deletion left, as of the newest event of it."""
    assert found.newest is not None
    found.collector.age_seen = 0
    awarding.judge_everything(event, found.collector, occasion_at(event.type, found.newest.time))
