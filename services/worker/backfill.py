"""What a campaign gives one user: of its badges those that are earned and were never given, each with its day."""

from __future__ import annotations

from evaluators.engine import evaluate_all
from services.stores import awards, campaigns
from services.stores.awards import NewAward
from services.stores.campaigns import Giving
from services.worker.awarding import Awarding, Backfill, occasion_at
from services.worker.recounting import Recount
from services.worker.replay import Replay
from services.worker.work import Accepted, Work


async def backfill(work: Work, one: Accepted, found: Recount, campaign: Giving) -> list[NewAward]:
    """Evaluate the campaign's badges on recounted state; what is new is dated by a replay of the stored sets.

    Awards that stand are not touched, revoked ones not given again. What the replay does not find, because no date of
    it is stored, has the campaign's date.
    """
    connection, knowledge, user = work.connection, work.knowledge, one.event.subject
    time = one.event.time
    if not work.stands(one.event) and found.newest is not None:
        time = found.newest.time
    index = knowledge.index_of(campaign.badge_keys)
    occasion = occasion_at(one.event.type, time)
    verdicts = evaluate_all(index.badges, found.collector, occasion)
    earned = {(verdict.badge.key, verdict.context) for verdict in verdicts if verdict.earned}
    if not earned:
        return []
    held = await awards.held(connection, [user], {key for key, _ in earned}, {context for _, context in earned})
    due = frozenset(earned - {(key, context) for _, key, context in held})
    if not due:
        return []
    replay = Replay(found, knowledge.counter, await campaigns.measured_at(connection, user))
    awarding = Awarding(
        knowledge.catalog, lambda _: replay.holdings, Backfill(campaign.campaign_id, campaign.notify, index, due)
    )
    replay.judge(awarding, index, one.event, time)
    awarding.judge_trigger(one.event, found.collector, occasion)
    return await awarding.settle(connection)
