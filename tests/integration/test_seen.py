"""When a user was last seen: by the user's own events, whatever they change, and by nothing else."""

from datetime import date, datetime, timedelta

from services.stores import collectors
from services.stores.postgres import Connection
from services.worker import recounting
from tests.model import lab
from tests.model.events import NOON, added, event, history, removed
from tests.model.lab import Log

DAY = NOON.date()


def later(days: int) -> datetime:
    return NOON + timedelta(days=days)


async def seen(connection: Connection, user: str = "ada") -> date | None:
    found: date | None = await connection.fetchval("select seen_on from collector where user_id = $1", user)
    return found


async def test_every_event_of_the_user_counts_and_none_of_ours(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()

    async def send(kind: str, name: str, data: object, days: int) -> date | None:
        log.append(event(kind, name, data, time=later(days)))
        await lab.drain(connection, known, log)
        return await seen(connection)

    assert await send("review.approved", "1", {"review_id": "r"}, 0) == DAY
    assert await send("review.approved", "2", {"review_id": "r"}, 1) == DAY + timedelta(days=1), "changes nothing else"
    item = {"instance_id": 1, "release": {"id": 5}}
    assert await send("ownership.added", "3", {"items": [item]}, 2) == DAY + timedelta(days=2)
    assert await send("ownership.added", "4", {"items": [item]}, 3) == DAY + timedelta(days=3), "the same copy"
    assert await send("ownership.removed", "5", {"items": [{"instance_id": 1}]}, 4) == DAY + timedelta(days=4)
    assert await send("wishlist.added", "6", {"release_ids": [1]}, 2) == DAY + timedelta(days=4), "an older event"
    assert await send("cron.sweep", "7", {}, 9) == DAY + timedelta(days=4)
    assert await send("cron.anniversary", "8", {"on": "2026-03-09"}, 9) == DAY + timedelta(days=4)
    assert await send("user.joined", "9", {"joined_at": "2020-01-01"}, 10) == DAY + timedelta(days=10)


async def test_a_deletion_leaves_what_newer_events_say(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    log.append(event("review.approved", "1", {"review_id": "r"}, time=later(1)))
    log.append(event("review.approved", "2", {"review_id": "r"}, time=later(9)))
    log.append(added("3", (1, {"id": 5}), time=later(3)))
    await lab.drain(connection, known, log)
    assert await seen(connection) == DAY + timedelta(days=9)
    log.append(removed("4", 1, time=later(8)))
    log.append(event("user.deleted", "5", {}, time=later(5)))
    await lab.drain(connection, known, log)
    assert await seen(connection) == DAY + timedelta(days=9)
    log.append(event("edit.approved", "6", {"edit_id": "e"}, time=later(12)))
    log.append(event("user.deleted", "7", {}, time=later(10)))
    await lab.drain(connection, known, log)
    assert await seen(connection) == DAY + timedelta(days=12)


async def test_a_recount_finds_what_was_lost_and_takes_nothing_away(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for one in history(7, 400):
        log.append(one)
    await lab.drain(connection, known, log)
    stored = {row["user_id"]: row["seen_on"] for row in await connection.fetch("select * from collector")}
    assert None not in stored.values()
    for lost in (None, date(1999, 1, 1), date(2099, 1, 1)):
        for user in stored:
            await connection.execute("update collector set seen_on = $2 where user_id = $1", user, lost)
            async with connection.transaction():
                (one,) = (await collectors.lock(connection, [user], lab.ERASURE_KEY, create=False)).values()
                found = await recounting.recount(connection, known, one, refresh=False)
                assert found.drift == {}
                await recounting.save(connection, found)
            day = await seen(connection, user)
            assert day is not None
            if lost is not None and lost.year == 2099:
                assert day == lost
            else:
                assert day <= stored[user], "what is left of events is no newer than they were"
                assert found.newest is not None
                assert day == found.newest.time.date()
