"""`user.deleted` with a worker: everything goes, dead letters too, and what comes late stays out."""

import json

from tests.e2e.events import MARK, Message, added, at, copy, event, message
from tests.e2e.world import World, by_user
from tests.model.oracle import Event

LEFT = "select count(*) from {table} as t where t::text like '%' || $1 || '%' or t::text like '%' || $2 || '%'"


async def traces(world: World, user: str) -> dict[str, int]:
    """The rows of every table that hold the user's id, as text or in bytes."""
    found = {}
    async with world.database() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        for (table,) in tables:
            rows = await connection.fetchval(LEFT.format(table=table), user, user.encode().hex())
            if rows:
                found[table] = rows
    return found


def life(user: str) -> list[Event]:
    """Something in every table."""
    return [
        event("user.joined", user, f"{user}-1", {"joined_at": "2019-05-05"}, time=at(1)),
        added(user, f"{user}-2", [copy(1, 21, year=1950, title=f"by {user}", labels=[{"name": "L"}])], time=at(2)),
        event("wishlist.added", user, f"{user}-3", {"release_ids": [5]}, time=at(3)),
        event("review.approved", user, f"{user}-4", {"review_id": "5"}, time=at(4)),
        event("edit.approved", user, f"{user}-5", {"edit_id": "5"}, time=at(5)),
        event("compare.used", user, f"{user}-6", {"compare_id": "5"}, time=at(6)),
    ]


async def test_a_deletion_leaves_a_hash_and_nothing_else(world: World) -> None:
    user = "erased-ann"
    poison = Message("review.approved", user.encode(), b'{"' + MARK.encode())
    hashes = await world.query("select count(*) from erased")
    await world.send([*map(message, life(user)), poison])
    await world.drained()
    assert {"collector", "owned", "owned_release", "activity", "award", "dead_letter"} <= (
        await traces(world, user)
    ).keys()
    await world.send([message(event("user.deleted", user, "erase-ann", time=at(10)))])
    await world.drained()
    assert await traces(world, user) == {}
    assert await world.query("select count(*) from erased") == hashes + 1
    assert user not in await world.state()

    late = [
        event("review.approved", user, "late-1", {"review_id": "9"}, time=at(9)),
        added(user, "late-2", [copy(7, 22, year=1951)], time=at(10)),
        event("wishlist.removed", user, "late-3", {"release_ids": [5]}, time=at(8)),
        event("cron.anniversary", user, "late-4", {"on": "2030-01-01"}, time=at(10)),
        event("cron.sweep", user, "late-5", time=at(10)),
    ]
    before = await world.status()
    await world.send(map(message, late))
    status = await world.drained()
    processed = sum(one.processed for one in status.partitions) - sum(one.processed for one in before.partitions)
    assert processed == len(late)
    assert await traces(world, user) == {}

    await world.send([message(event("review.approved", user, "anew", {"review_id": "9"}, time=at(11)))])
    await world.drained()
    state = (await world.state())[user]
    assert (state["reviews"], state["releases"], state["joined_on"]) == (1, 0, None)
    messages = [
        json.loads(record.value) for record in await world.published("badge.awarded") if record.key == user.encode()
    ]
    of_reviews = [one for one in messages if one["badge"]["key"] == "reviewer-i"]
    # The award of before the deletion and the one after it are two awards.
    assert len({one["award_id"] for one in of_reviews}) == len(of_reviews) == 2


async def test_newer_events_read_before_the_deletion_stand(world: World) -> None:
    user = "erased-bob"
    newer = [
        event("wishlist.added", user, "newer-1", {"release_ids": [8]}, time=at(20)),
        event("review.approved", user, "newer-2", {"review_id": "newer"}, time=at(21)),
    ]
    await world.send(map(message, [*life(user), *newer]))
    await world.drained()
    assert len(by_user(await world.awards(), user)) > 2
    await world.send([message(event("user.deleted", user, "erase-bob", time=at(10)))])
    await world.drained()
    state = (await world.state())[user]
    assert (state["wishlist"], state["reviews"], state["releases"], state["edits"]) == (1, 1, 0, 0)
    assert (state["joined_on"], state["oldest_year"]) == (None, None)
    awards = await world.awards(user)
    # What older events had earned went; what is left was evaluated at once, dated with the newest event left.
    assert {key[1]: award["awarded_at"] for key, award in awards.items()} == {
        "wishlister-i": f"{at(21):%Y-%m-%dT%H:%M:%SZ}",
        "reviewer-i": f"{at(21):%Y-%m-%dT%H:%M:%SZ}",
    }
