"""The calendar: scheduler, relay, Kafka, worker, and an award on the day."""

import asyncio
from datetime import UTC, datetime

from tests.e2e.events import added, copy, event, message
from tests.e2e.world import World, by_user


async def test_an_anniversary_goes_all_the_way(empty_world: World) -> None:
    world = empty_world
    relay, worker = world.crew.start("relay"), await asyncio.to_thread(world.crew.worker)
    now = datetime.now(UTC)
    # Four years ago there was the same day, were it 29 February.
    long_ago = now.date().replace(year=now.year - 4)
    other = long_ago.replace(month=long_ago.month % 12 + 1, day=15)
    await world.send(
        map(
            message,
            [
                event("user.joined", "ann", "j-1", {"joined_at": long_ago.isoformat()}, time=now),
                event("user.joined", "bob", "j-2", {"joined_at": other.isoformat()}, time=now),
                event("user.joined", "new", "j-3", {"joined_at": now.date().isoformat()}, time=now),
                added("cid", "o-1", [copy(1, 5, title="T")], time=now),
            ],
        )
    )
    await world.drained()
    scheduler = world.crew.start("scheduler", cron_rate="10000")
    await asyncio.to_thread(scheduler.wait_for, "run done", times=4)
    await world.drained()
    today = f"{now:%Y-%m-%d}"
    awards = await world.awards()
    tiers = [("anniversary-i", ""), ("anniversary-ii", ""), ("anniversary-iii", "")]
    assert by_user(awards, "ann") == tiers, "one, two and three years; five are not full"
    assert {awards["ann", badge, ""]["awarded_at"] for badge, _ in tiers} == {f"{today}T00:00:00Z"}
    assert not [badge for user in ("new", "cid") for badge, _ in by_user(awards, user) if "anniversary" in badge]
    told = []
    for record in await world.published("cron.anniversary"):
        headers = {name: value.decode() for name, value in record.headers}
        told.append((record.key, headers["ce_id"], headers["ce_source"], headers["ce_time"], record.value))
    assert told == [
        (b"ann", f"anniversary:{today}:ann", "gatefold", f"{today}T00:00:00Z", b'{"on":"%b"}' % today.encode())
    ]
    # Killed and started again, and run once more by hand: nothing new for anybody.
    await asyncio.to_thread(scheduler.kill)
    again = world.crew.start("scheduler", cron_rate="10000")
    await asyncio.to_thread(again.wait_for, "leading")
    assert (await asyncio.to_thread(world.run, "cron", "run", "anniversaries")).code == 0
    status = await world.drained()
    assert len(await world.published("cron.anniversary")) == 2
    assert await world.awards() == awards
    assert sum(one.duplicate for one in status.partitions) >= 1
    assert sum(one.dead for one in status.partitions) == 0
    for process in (again, worker, relay):
        assert await asyncio.to_thread(process.terminate) == 0
