"""`cron.anniversary`: years of membership, measured at the date that the event names."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.envelope import Event
from contracts.snapshot import Occasion
from contracts.times import parse_day
from services.state.collector import Collector
from services.stores.awards import NewAward
from services.worker.awarding import Awarding
from services.worker.work import Accepted, Work


async def measure_tenure(work: Work, accepted: Sequence[Accepted]) -> list[NewAward]:
    """Evaluate tenure for each user; who is not known has not joined."""
    awarding = Awarding(work.knowledge.catalog, {})
    for one in await work.lock(accepted, create=False):
        judge(awarding, one.event, work.collectors[one.event.subject])
    return await awarding.settle(work.connection)


def judge(awarding: Awarding, event: Event, collector: Collector) -> None:
    """Evaluate tenure of a user who is known."""
    awarding.judge_tenure(event, collector, Occasion(event.type, event.time, parse_day(event.data.on)))
