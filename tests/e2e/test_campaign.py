"""A campaign through Kafka, with relay and worker killed in the middle: each user once, one award each, and back."""

import asyncio
import json
from collections import Counter

from tests.e2e.events import added, at, copy, message
from tests.e2e.world import SLOWLY, World

USERS = 120


async def until_done(world: World, id_: str, users: int, *, seconds: float = 60) -> None:
    """Wait until so many users of a campaign are evaluated."""
    deadline = asyncio.get_running_loop().time() + seconds
    statement = "select coalesce(sum(users), 0) from campaign_progress where campaign_id = $1"
    while await world.query(statement, id_) < users:
        assert asyncio.get_running_loop().time() < deadline, f"{users} users: not within {seconds:g} s"
        await asyncio.sleep(0.01)


async def until_it_is(world: World, id_: str, state: str, *, seconds: float = 60) -> None:
    """Wait until a campaign is in this state."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (found := await world.query("select state from campaign where campaign_id = $1", id_)) != state:
        assert asyncio.get_running_loop().time() < deadline, f"{found} instead of {state} after {seconds:g} s"
        await asyncio.sleep(0.02)


async def test_a_campaign_outlives_relay_and_worker(empty_world: World) -> None:
    world = empty_world
    relay = world.crew.start("relay")
    worker, _ = await asyncio.to_thread(world.crew.worker, **SLOWLY), world.crew.start("worker", **SLOWLY)
    users = [f"camp-{n:03d}" for n in range(USERS)]
    await world.send(
        message(added(user, f"{user}-{m}", [copy(m, m, title=f"T{m}")], time=at(n + 60 * m)))
        for n, user in enumerate(users)
        for m in range(1, 11 if n % 2 else 3)
    )
    await world.drained()
    auto = await world.awards()
    # As if the family were new; one user has earned it by an event since.
    async with world.database() as connection:
        await connection.execute("delete from user_badges where badge_key like 'owner-%' and user_id <> 'camp-001'")
    start = ("campaign", "start", "--family", "owner", "--reason", "new", "--rate", "20", "--json")
    begun = await asyncio.to_thread(world.run, *start)
    assert begun.code == 0, begun.err
    id_ = json.loads(begun.out)["campaign_id"]
    refused = await asyncio.to_thread(world.run, "campaign", "start", "--badge", "owner-i", "--reason", "again")
    assert refused.code == 1
    assert id_ in refused.err

    await until_done(world, id_, USERS // 6)
    relay.kill()
    worker.kill()
    assert await world.query("select sent from campaign_cursor where campaign_id = $1", id_) < USERS
    world.crew.start("relay")
    world.crew.start("worker", **SLOWLY)
    await until_it_is(world, id_, "done")
    await world.drained()
    assert await world.query("select sent from campaign_cursor where campaign_id = $1", id_) == USERS
    assert await world.query("select sum(users) from campaign_progress where campaign_id = $1", id_) == USERS
    given = await world.awards()
    assert given.keys() == auto.keys()
    for name, award in given.items():
        assert award["awarded_at"] == auto[name]["awarded_at"]
        assert award["evidence"] == auto[name]["evidence"]
        campaign = name[1].startswith("owner-") and name[0] != "camp-001"
        assert award["source"] == ("backfill" if campaign else "auto")
    messages = [(record, json.loads(record.value)) for record in await world.published("badge.awarded")]
    told = {dict(record.headers)["ce_id"]: data for record, data in messages if data.get("campaign_id") == id_}
    assert len({record.value for record, data in messages if data.get("campaign_id") == id_}) == len(told)
    owners = Counter(data["user_id"] for data in told.values())
    assert owners == {user: 2 if n % 2 else 1 for n, user in enumerate(users) if user != "camp-001"}
    assert not any(data["notify"] for data in told.values())

    # All of it is taken back, and nothing else.
    back = await asyncio.to_thread(world.run, "campaign", "rollback", id_, "--reason", "wrong", "--yes")
    assert back.code == 0, back.err
    await until_it_is(world, id_, "rolled_back")
    await world.drained()
    after = await world.awards()
    for name, award in after.items():
        assert (award["revoked_at"] is not None) == (given[name]["source"] == "backfill")
    revoked = {json.loads(record.value)["award_id"] for record in await world.published("badge.revoked")}
    assert revoked == {data["award_id"] for data in told.values()}
