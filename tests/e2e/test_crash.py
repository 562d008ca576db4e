"""Workers that are killed, frozen, cut off and stopped under load: nothing lost, nothing twice."""

import asyncio
import signal
import time

from contracts.topics import INPUT_TOPICS
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.processes import Process, until
from tests.e2e.world import PARTITIONS, SLOWLY, World

LOAD = 500


def numbers(worker: Process) -> set[int]:
    """The partition numbers that the worker was given last."""
    return set(worker.told("assigned")[-1]["numbers"])


def shared(*workers: Process) -> bool:
    """Whether these workers have all partitions among them."""
    given = [numbers(worker) for worker in workers]
    return all(given) and sorted(one for share in given for one in share) == list(range(PARTITIONS))


async def two_workers(world: World) -> tuple[Process, Process]:
    """Two slow workers, each with its share."""
    first, second = world.crew.start("worker", **SLOWLY), world.crew.start("worker", **SLOWLY)
    for worker in (first, second):
        await asyncio.to_thread(worker.wait_for, "assigned")
    await asyncio.to_thread(until, lambda: shared(first, second), "both have a share")
    return first, second


async def test_a_worker_killed_in_the_middle(empty_world: World) -> None:
    world = empty_world
    world.crew.start("relay")
    doomed, other = await two_workers(world)
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
    leaving, staying = await two_workers(world)
    for worker in (leaving, staying):
        last = worker.told("assigned")[-1]
        # The range assignor: partition n of every topic is with one worker.
        assert last["partitions"] == len(INPUT_TOPICS) * len(last["numbers"])
    sent = len(await world.send(events.load(2, LOAD)))
    await world.accounts_for(sent // 10)
    assert await world.accounted() < sent
    begin = time.monotonic()
    assert await asyncio.to_thread(leaving.terminate) == 0
    assert time.monotonic() - begin <= 10
    await balance(world)
    async with world.database() as connection:
        rows = await connection.fetch("select topic, partition, owner from offset_ledger where next_offset > 0")
    assert {row["owner"].rsplit(":", 1)[1] for row in rows} <= {str(leaving.child.pid), str(staying.child.pid)}
    assert staying.code is None


async def test_a_worker_that_was_dead_to_the_group_wakes_up(empty_world: World) -> None:
    """Frozen for longer than its session, in the middle of a transaction or between two: it writes nothing anew."""
    world = empty_world
    world.crew.start("relay")
    frozen, other = await two_workers(world)
    sent = len(await world.send(events.load(3, LOAD)))
    await world.accounts_for(sent // 10)
    frozen.child.send_signal(signal.SIGSTOP)
    assert await world.accounted() < sent
    await asyncio.to_thread(until, lambda: numbers(other) == set(range(PARTITIONS)), "the other takes over")
    frozen.child.send_signal(signal.SIGCONT)
    await balance(world)
    await asyncio.to_thread(
        until, lambda: frozen.code == 75 or shared(frozen, other), "it is back, or asks to be restarted"
    )
    assert other.code is None


async def test_connections_that_are_cut_again_and_again(empty_world: World) -> None:
    world = empty_world
    world.crew.start("relay")
    worker = await asyncio.to_thread(world.crew.worker, **SLOWLY)
    sent = len(await world.send(events.load(4, LOAD)))
    statement = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and application_name in ('gatefold-worker', 'gatefold-relay')"
    )
    cut = 0
    for share in range(1, 10):
        await world.accounts_for(sent * share // 10)
        cut += await world.query(statement)
    assert cut > 0
    oracle = await balance(world)
    assert worker.metric("gatefold_dead_letters_total") == len(oracle.dead)
    assert worker.code is None
