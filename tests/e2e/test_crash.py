"""Workers that are killed, stopped and joined under load: nothing lost, nothing twice."""

import asyncio
import time

from contracts.topics import INPUT_TOPICS
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.processes import Process, until
from tests.e2e.world import PARTITIONS, World

LOAD = 2400
# Small bundles: the faults shall come in the middle of many transactions.
SLOWLY = {"bundle_records": "5"}


def numbers(worker: Process) -> set[int]:
    """The partition numbers that the worker was given last."""
    return set(worker.told("assigned")[-1]["numbers"])


def shared(*workers: Process) -> bool:
    """Whether these workers have all partitions among them."""
    given = [numbers(worker) for worker in workers]
    return all(given) and sorted(one for share in given for one in share) == list(range(PARTITIONS))


async def test_a_worker_killed_in_the_middle(empty_world: World) -> None:
    world = empty_world
    world.crew.start("relay")
    doomed, other = world.crew.start("worker", **SLOWLY), world.crew.start("worker", **SLOWLY)
    for worker in (doomed, other):
        worker.wait_for("assigned")
    until(lambda: shared(doomed, other), "both have a share")
    sent = len(await world.send(events.load(1, LOAD)))
    await world.accounts_for(sent // 10)
    doomed.kill()
    assert sent // 10 <= await world.accounted() < sent
    world.crew.start("worker")
    await balance(world)
    assert other.code is None


async def test_a_worker_stopped_under_load(empty_world: World) -> None:
    world = empty_world
    world.crew.start("relay")
    leaving, staying = world.crew.start("worker", **SLOWLY), world.crew.start("worker", **SLOWLY)
    for worker in (leaving, staying):
        worker.wait_for("assigned")
    until(lambda: shared(leaving, staying), "both have a share")
    for worker in (leaving, staying):
        last = worker.told("assigned")[-1]
        # The range assignor: partition n of every topic is with one worker.
        assert last["partitions"] == len(INPUT_TOPICS) * len(last["numbers"])
    sent = len(await world.send(events.load(2, LOAD)))
    await world.accounts_for(sent // 10)
    begin = time.monotonic()
    assert await asyncio.to_thread(leaving.terminate) == 0
    assert time.monotonic() - begin <= 10
    assert await world.accounted() < sent
    await balance(world)
    async with world.database() as connection:
        rows = await connection.fetch("select topic, partition, owner from offset_ledger where next_offset > 0")
    assert {row["owner"].rsplit(":", 1)[1] for row in rows} <= {str(leaving.child.pid), str(staying.child.pid)}
    assert staying.code is None
