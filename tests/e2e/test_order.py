"""Order and identity: the same events in other orders, and the same identity in other places."""

import asyncio
import itertools

from contracts.topics import INPUT_TOPICS
from tests.e2e.events import added, at, copy, event, message
from tests.e2e.world import PARTITIONS, World, by_user
from tests.model.oracle import Event


def story(user: str) -> list[Event]:
    """A copy that is added, removed and added again, a wish that is withdrawn: what stands is decided by time."""
    return [
        added(user, f"{user}-1", [copy(1, 11, genres=["Rock"]), copy(2, 12, genres=["Jazz"])], time=at(10)),
        event("ownership.removed", user, f"{user}-2", {"items": [{"instance_id": 1}, {"instance_id": 3}]}, time=at(20)),
        added(user, f"{user}-3", [copy(3, 13, genres=["Pop"]), copy(4, 14, genres=["Soul"])], time=at(15)),
        event("ownership.removed", user, f"{user}-4", {"items": [{"instance_id": 4}]}, time=at(12)),
        event("wishlist.removed", user, f"{user}-5", {"release_ids": [5]}, time=at(30)),
        event("wishlist.added", user, f"{user}-6", {"release_ids": [5, 6]}, time=at(29)),
    ]


async def test_added_and_removed_on_two_topics_in_either_order(world: World) -> None:
    """Each topic keeps its order; every interleaving of the two ends in the same state."""
    orders = []
    for places in itertools.combinations(range(4), 2):
        adds, removes = iter((0, 2)), iter((1, 3))
        orders.append([next(adds) if at in places else next(removes) for at in range(4)])
    users = {f"order-{number}": order for number, order in enumerate(orders)}
    for step in range(4):
        # The worker has taken each step before the next is sent: that is the order in which it reads them.
        await world.send([message(story(user)[order[step]]) for user, order in users.items()])
        await world.drained()
    for wishes in ((4, 5), (5, 4)):
        # Half of the users one way round, half the other: the second message waits until the first is processed.
        chosen = [user for number, user in enumerate(users) if number % 2 == wishes[0] - 4]
        for at_ in wishes:
            await world.send([message(story(user)[at_]) for user in chosen])
            await world.drained()
    state = await world.state()
    assert len(users) == 6
    first = state["order-0"]
    assert (first["releases"], first["genres"], first["wishlist"]) == (2, 2, 1)
    assert [state[user] for user in users] == [first] * len(users)
    recount = await asyncio.to_thread(world.run, "recount", "--check")
    assert recount.code == 0, recount.out


async def test_one_identity_counts_once_wherever_it_comes_again(world: World) -> None:
    """Another offset, another partition, another topic, other data: the second changes nothing."""
    user = "twice"
    before = await world.status()
    conflicts = world.worker.metric("gatefold_events_total"), len(world.worker.told("duplicate with other data"))
    original = event("review.approved", user, "the-one", {"review_id": "a"}, time=at(1))
    await world.send([message(original)])
    await world.drained()
    other_data = {**original, "data": {"review_id": "b"}}
    other_topic = event("edit.approved", user, "the-one", {"edit_id": "a"}, time=at(2))
    other_user = event("compare.used", "not-twice", "the-one", {"compare_id": "a"}, time=at(3))
    (_, partition, _), *_ = await world.send([message(original), message(original, binary=True), message(other_data)])
    elsewhere = (partition + 1) % PARTITIONS
    await world.send(
        [
            message(original, partition=elsewhere),
            message(other_topic),
            message(other_user),
            message({**original, "source": "/another"}),  # another identity: the same review, a set
            message({**original, "id": "the-two", "data": {"review_id": "c"}}),
        ]
    )
    status = await world.drained()
    assert sum(one.duplicate for one in status.partitions) - sum(one.duplicate for one in before.partitions) == 6
    assert sum(one.processed for one in status.partitions) - sum(one.processed for one in before.partitions) == 3
    state = (await world.state())[user]
    assert (state["reviews"], state["edits"]) == (2, 0)
    assert "not-twice" not in await world.state()
    assert by_user(await world.awards(), user) == [("reviewer-i", "")]
    told = world.worker.told("duplicate with other data")[conflicts[1] :]
    # Where to look, and nothing of whom: ids of events may hold ids of users.
    assert sorted(one["topic"] for one in told) == ["compare.used", "edit.approved", "review.approved"]
    assert all(one.keys() >= {"partition", "offset"} and "id" not in one for one in told)
    assert len(status.partitions) == len(INPUT_TOPICS) * PARTITIONS
