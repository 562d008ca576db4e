"""Pause, cancel, rollback; and what a deletion leaves of a campaign."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.campaigns import acts
from services.relay.campaigns import Campaigner
from services.settings import Settings
from services.stores import campaigns
from services.stores.postgres import Connection
from tests.integration.campaigns.world import collection, forget_awards, messages, start
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log


async def test_two_campaigns_on_one_badge_are_refused(connection: Connection, database: str) -> None:
    log = Log()
    for user in ("ann", "bob"):
        log.append(added(user, (1, {"id": 1}), user=user))
    await lab.drain(connection, lab.knowledge(), log)
    first = await start(connection, "family", "owner")
    for scope, value in (("badge", "owner-iii"), ("all", ""), ("trigger", "ownership.added"), ("user", "ann")):
        with pytest.raises(acts.Overlap, match=first.campaign_id):
            await start(connection, scope, value)  # type: ignore[arg-type]
    await start(connection, "family", "reviewer")
    await acts.pause(connection, first.campaign_id, by="op")
    with pytest.raises(acts.Overlap):
        await start(connection, "badge", "owner-i")
    await acts.cancel(connection, first.campaign_id, by="op")
    await start(connection, "badge", "owner-i")
    await connection.execute("update campaign set state = 'cancelled'")
    # Two users share no award, whatever their badges.
    await start(connection, "user", "ann")
    await start(connection, "user", "bob")
    with pytest.raises(acts.Overlap):
        await start(connection, "user", "ann")
    # Both at once: one of them.
    await connection.execute("update campaign set state = 'cancelled'")
    other = await lab.worker_connection(database)
    results = await _together(start(connection, "all"), start(other, "badge", "owner-i"))
    await other.close()
    assert sorted(type(one).__name__ for one in results) == ["Campaign", "Overlap"]


async def _together(*work: Any) -> list[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


async def test_pause_resume_cancel(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for n in range(9):
        log.append(added(f"e{n}", (1, {"id": 1}), user=f"u{n}"))
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    begun = await start(connection, "badge", "owner-i")
    assert await campaigns.send(connection, begun.campaign_id, 3) == 3
    paused = await acts.pause(connection, begun.campaign_id, by="op")
    assert (paused.state, paused.sent, paused.done) == ("paused", 3, 0)
    assert await campaigns.send(connection, begun.campaign_id, 3) == 0
    await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert len(await lab.awards_of(connection)) == 3, "what was sent is done"
    with pytest.raises(acts.WrongState, match="paused"):
        await acts.pause(connection, begun.campaign_id, by="op")
    resumed = await acts.resume(connection, begun.campaign_id, by="op")
    assert (resumed.state, resumed.done_before) == ("running", 3)
    assert await campaigns.send(connection, begun.campaign_id, 3) == 3
    await acts.cancel(connection, begun.campaign_id, by="op")
    assert await campaigns.send(connection, begun.campaign_id, 3) == 0
    await connection.execute("update collector set releases = 7 where user_id = 'u4'")
    await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert len(await lab.awards_of(connection)) == 3, "a cancelled campaign gives nothing"
    assert (await lab.state_of(connection))["u4"]["releases"] == 1, "but recounts"
    for act in (acts.pause, acts.resume, acts.cancel):
        with pytest.raises(acts.WrongState, match="cancelled"):
            await act(connection, begun.campaign_id, by="op")
        with pytest.raises(acts.UnknownCampaign):
            await act(connection, "nope", by="op")
    noted = [
        (row["by"], row["act"])
        for row in await connection.fetch(
            "select by, act from audit_log where details ->> 'campaign_id' = $1 order by audit_id", begun.campaign_id
        )
    ]
    assert noted == [("op", f"campaign.{act}") for act in ("start", "pause", "resume", "cancel")]
    for statement in ("update audit_log set by = 'x'", "delete from audit_log"):
        with pytest.raises(asyncpg.RaiseError, match="append only"):
            await connection.execute(statement)


async def test_a_rollback_takes_back_exactly_what_the_campaign_gave(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for user in ("ann", "bob", "cid"):
        for one in collection(user, 6):
            log.append(one)
    await lab.drain(connection, known, log)
    await connection.execute("delete from user_badges where badge_key like 'genre-tourist%' and user_id <> 'bob'")
    await connection.execute("delete from outbox")
    before = await lab.awards_of(connection)
    assert ("bob", "genre-tourist-bronze", "") in before
    begun = await start(connection, "all")
    await lab.campaign(connection, known, log, begun.campaign_id)
    assert len(await lab.awards_of(connection)) == len(before) + 2
    # One of them was taken by hand and given again by hand: it is not the campaign's any more.
    await connection.execute(
        "update user_badges set revision = 2, source = 'manual' where user_id = 'cid' and campaign_id is not null"
    )
    await connection.execute("delete from outbox")
    assert await acts.at_stake(connection, begun.campaign_id) == (1, 1)
    rolled = await acts.rollback(connection, begun.campaign_id, by="op", reason="wrong rule")
    assert rolled.state == "rolling_back"
    with pytest.raises(acts.WrongState):
        await acts.rollback(connection, begun.campaign_id, by="op", reason="again")
    with pytest.raises(acts.Overlap):
        await start(connection, "badge", "genre-tourist-bronze")
    campaigner = Campaigner(Settings())
    await campaigner.step(connection)
    await campaigner.step(connection)
    (stands,) = await campaigns.show(connection, begun.campaign_id)
    assert (stands.state, stands.awards, stands.standing) == ("rolled_back", 2, 0)
    after = await lab.awards_of(connection)
    gone = {name for name, award in after.items() if award["revoked_at"]}
    assert gone == {("ann", "genre-tourist-bronze", "")}
    assert {name: award for name, award in after.items() if name in before} == before
    (told,) = await messages(connection, "badge.revoked")
    assert (told["user_id"], told["badge_key"], told["by"], told["reason"]) == (
        "ann", "genre-tourist-bronze", "op", "wrong rule",
    )  # fmt: skip
    assert await connection.fetchval("select event_id from outbox") == f"{told['award_id']}:1:revoked"
    # What was taken back is not given again, neither by an event nor by a campaign.
    again = await start(connection, "all")
    log.append(event("cron.sweep", "later", {}, user="ann", time=minutes(900)))
    await lab.drain(connection, known, log)
    await lab.campaign(connection, known, log, again.campaign_id)
    assert await lab.awards_of(connection) == after


async def test_a_deleted_user_is_done_and_leaves_no_name(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for user in ("ann", "bob", "cid"):
        log.append(added(user, (1, {"id": 1}), user=user))
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    begun = await start(connection, "badge", "owner-i")
    await campaigns.send(connection, begun.campaign_id, 2)  # to ann and bob, not published yet
    log.append(event("user.deleted", "d1", {}, user="ann", time=minutes(5)))
    await lab.drain(connection, known, log)
    assert await connection.fetchval("select count(*) from outbox where subject = 'ann'") == 0
    await campaigns.send(connection, begun.campaign_id, 2)
    log.append(event("user.deleted", "d2", {}, user="cid", time=minutes(5)), 1)
    await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    (stands,) = await campaigns.show(connection, begun.campaign_id)
    assert (stands.sent, stands.done) == (3, 3)
    await connection.execute("update campaign set state = 'cancelled'")
    alone = await start(connection, "user", "bob")
    log.append(event("user.deleted", "d3", {}, user="bob", time=minutes(5)), 1)
    await lab.drain(connection, known, log)
    (stands,) = await campaigns.show(connection, alone.campaign_id)
    assert stands.value == ""
    assert await campaigns.send(connection, alone.campaign_id, 5) == 0
