"""What a campaign gives some users: of its badges those that are earned and were never given, each with its day."""

from __future__ import annotations

from collections.abc import Container, Iterable

from catalog.index import TriggerIndex
from evaluators.engine import evaluate_all
from services.stores import campaigns
from services.stores.awards import Name, NewAward
from services.stores.campaigns import Giving
from services.worker.awarding import Awarding, occasion_at
from services.worker.earned import Backfill
from services.worker.recounting import Recount, judged_at
from services.worker.replay import GRAPH, Lines, Replay
from services.worker.work import FAULTS, Accepted, EventFailed, Work

Due = frozenset[tuple[str, str]]  # badge key and context


async def backfill(work: Work, asked: Iterable[tuple[Accepted, Recount]], campaign: Giving) -> list[NewAward]:
    """Evaluate the campaign's badges on recounted states; what is new is dated by a replay of the stored sets.

    Awards that stand are not touched, revoked ones not given again. What the replay does not find, because no date of
    it is stored, has the campaign's date. Each user is asked about once.

    Raises:  EventFailed naming the event at fault.
    """
    connection, knowledge = work.connection, work.knowledge
    index = knowledge.index_of(campaign.badge_keys)
    users = {one.event.subject: (one, found) for one, found in asked}
    due = {
        user: lacked
        for user, (one, found) in users.items()
        if (lacked := _lacked(work, one, found, index, campaign.held))
    }
    if not due:
        return []
    measured = await campaigns.measured_at(connection, sorted(due)) if index.metrics & GRAPH else {}
    counter, lines = knowledge.counter_of(index.metrics), Lines.of(index)
    replays = {user: Replay(users[user][1], counter, measured.get(user)) for user in due}
    awarding = Awarding(
        knowledge.catalog,
        {user: replay.holdings for user, replay in replays.items()},
        Backfill(campaign.campaign_id, campaign.notify, index, due),
    )
    for user, replay in replays.items():
        one, found = users[user]
        time = judged_at(one.event, found, stands=work.stands(one.event))
        try:
            replay.judge(awarding, index, lines, one.event, time)
            if not awarding.all_found(user):
                awarding.judge_trigger(one.event, found.collector, occasion_at(one.event.type, time))
        except FAULTS as error:
            raise EventFailed(one.offset) from error
    return await awarding.settle(connection, campaign.held)


def _lacked(work: Work, one: Accepted, found: Recount, index: TriggerIndex, held: Container[Name]) -> Due:
    """What the user has earned and does not hold; evaluated is what may be."""
    user, within = one.event.subject, index.within(found.collector.counters)
    open_still = [badge for badge in within if badge.context_kind or (user, badge.key, "") not in held]
    occasion = occasion_at(one.event.type, judged_at(one.event, found, stands=work.stands(one.event)))
    try:
        verdicts = evaluate_all(open_still, found.collector, occasion)
    except FAULTS as error:
        raise EventFailed(one.offset) from error
    earned = [(verdict.badge.key, verdict.context) for verdict in verdicts if verdict.earned]
    return frozenset(pair for pair in earned if (user, *pair) not in held)
