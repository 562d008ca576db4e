"""`cron.sweep`: a user recounted from the stored sets, drift repaired and reported, every badge evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from services.logs import logger
from services.metrics import DRIFT
from services.stores.awards import NewAward
from services.worker import recounting
from services.worker.awarding import Awarding, occasion_at
from services.worker.recounting import Recount
from services.worker.work import FAULTS, Accepted, EventFailed, Work

log = logger(__name__)


async def sweep(work: Work, accepted: Sequence[Accepted]) -> list[NewAward]:
    """Recount, repair and evaluate each user; a user who is not known has nothing to sweep.

    A sweep older than a deletion recounts as well: it may bring what the catalogue said before the deletion.

    Raises:  EventFailed naming the event at fault; nothing is kept then.
    """
    given: list[NewAward] = []
    for one in await work.lock(accepted, create=False, void_too=True):
        try:
            found = await recounting.recount(
                work.connection, work.knowledge, work.collectors[one.event.subject], refresh=True
            )
        except FAULTS as error:
            raise EventFailed(one.offset) from error
        if found.drift:
            DRIFT.inc(len(found.drift))
            log.warning("drift repaired", offset=one.offset, counters=sorted(found.drift)[:20])
        given += await evaluate(work, one, found)
    return given


async def evaluate(work: Work, one: Accepted, found: Recount) -> list[NewAward]:
    """Evaluate every badge on recounted state at the event's time, and write both.

    Where that time is void by a deletion, what is left is dated with the newest event left, as the deletion did it.
    """
    time = recounting.judged_at(one.event, found, stands=work.stands(one.event))
    awarding = Awarding(work.knowledge.catalog, lambda user: found.holdings)
    awarding.judge_everything(one.event, found.collector, occasion_at(one.event.type, time))
    given = await awarding.settle(work.connection)
    await recounting.save(work.connection, found)
    work.collectors[one.event.subject] = found.collector
    return given
