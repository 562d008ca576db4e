"""Rows 1, 2, 5, 15 to 17, 32 and 33: processes killed, stopped, stuck, doubled, or started into nothing."""

import asyncio
import random
import signal
import time
from typing import Any

import pytest

from tests.conftest import Engines
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.processes import START, Process, until
from tests.e2e.world import PARTITIONS, SLOWLY, World
from tests.faults.supervisor import RESTART_ME, Supervisor

KILLS = 8
LOAD = 1_200
# A worker that takes slot 0 without asking.
TWIN = """
from services.stores import slots
async def try_take(*_, **__):
    return True
slots.try_take = try_take
"""
TWIN += START
# A worker whose event loop stands still when told so, as a driver that blocks would have it.
STUCK = "import signal, time; signal.signal(signal.SIGUSR1, lambda *_: time.sleep(60))\n" + START


async def test_row_01_workers_killed_again_and_again(empty_world: World, seed: int, proof: Any) -> None:
    world, dice = empty_world, random.Random(seed)
    world.crew.start("relay")
    async with Supervisor(world, **SLOWLY) as workers:
        await workers.scale(3)
        until(lambda: any(worker.told("assigned") for worker in workers.workers), "somebody reads")
        sent = len(await world.send(events.load(seed, LOAD)))
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0.3, 2.0))
            workers.kill_one(dice)
        assert workers.ends[-9] == KILLS
        await workers.scale(0)
    world.crew.start("worker")
    await balance(world)
    proof(1, "SIGKILL of one of three workers under load", kills=KILLS, events=sent, lost=0, twice=0)


async def test_row_02_workers_restarted_in_turn(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    workers = [world.crew.start("worker", **SLOWLY) for _ in range(3)]
    for worker in workers:
        await asyncio.to_thread(worker.wait_for, "assigned")
    await asyncio.sleep(2)  # the last of them has come by now, and the first ones have given up their share
    assigned = [len(worker.told("assigned")) for worker in workers]
    sent = len(await world.send(events.load(seed, LOAD)))
    longest = 0.0
    for at in range(len(workers)):
        begin = time.monotonic()
        assert await asyncio.to_thread(workers[at].terminate) == 0
        longest = max(longest, time.monotonic() - begin)
        workers[at] = await asyncio.to_thread(world.crew.worker, **SLOWLY)
        assigned[at] = 1
    assert longest <= 10
    await balance(world)
    # Who comes back has its partitions back; the others did not notice, and nothing was read twice.
    assert [len(worker.told("assigned")) for worker in workers] == assigned
    assert sorted(worker.told("slot")[0]["number"] for worker in workers) == [0, 1, 2]
    assert sum(worker.metric("gatefold_events_total", fate="skipped") for worker in workers) == 0
    proof(
        2,
        "SIGTERM of three workers in turn, under load",
        events=sent,
        rebalances=0,
        read_twice=0,
        seconds_to_stop_at_most=round(longest, 1),
    )


@pytest.mark.long
async def test_row_05_the_event_loop_stands_still(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    async with Supervisor(world, program=STUCK, **SLOWLY) as workers:
        await workers.scale(1)
        (worker,) = workers.workers
        await asyncio.to_thread(worker.wait_for, "assigned")
        sent = len(await world.send(events.load(seed, 600)))
        await world.accounts_for(sent // 10)
        worker.child.send_signal(signal.SIGUSR1)
        begin = time.monotonic()
        await asyncio.to_thread(until, lambda: worker.code is not None, "the watchdog bites", seconds=40)
        bitten = time.monotonic() - begin
        await balance(world)
        assert dict(workers.ends) == {RESTART_ME: 1}
    proof(5, "the worker's event loop stands still", events=sent, seconds_to_restart=round(bitten, 1), restarts=1)


@pytest.mark.long
async def test_row_16_two_workers_of_one_identity(empty_world: World, seed: int, proof: Any) -> None:
    """Only with the lock bypassed: they take the partitions from each other, and still nothing counts twice."""
    world = empty_world
    world.crew.start("relay")
    twins = [world.crew.start("worker", program=TWIN, **SLOWLY) for _ in range(2)]
    await asyncio.to_thread(twins[0].wait_for, "assigned")
    sent = 0
    for at in range(10):
        sent += len(await world.send(events.load(seed + at, 60, start=60 * at)))
        await asyncio.sleep(2)
        for number, twin in enumerate(twins):
            if twin.code is not None:
                assert twin.code == RESTART_ME
                twins[number] = world.crew.start("worker", program=TWIN, **SLOWLY)
    joins = sum(len(process.told("assigned")) for process in world.crew.processes)
    assert joins > 4
    for twin in twins:
        await asyncio.to_thread(twin.terminate)
    world.crew.start("worker")
    await balance(world)
    proof(16, "two workers of one identity, the lock bypassed", events=sent, assignments=joins, twice=0)


@pytest.mark.long
async def test_row_17_an_idle_worker_takes_over(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    # One more than there are partitions, and the time-out of a session as it is by default.
    workers = [world.crew.start("worker", session_seconds="20") for _ in range(PARTITIONS + 1)]
    shares = [[], *([number] for number in range(PARTITIONS))]
    until(lambda: sorted(map(share, workers)) == shares, "four have a number each, and one has none", seconds=60)
    (idle,) = [worker for worker in workers if not share(worker)]
    sent = len(await world.send(events.load(seed, 300)))
    await world.accounts_for(sent)
    next(worker for worker in workers if share(worker)).kill()
    sent += len(await world.send(events.load(seed + 1, 300, start=300)))
    begin = time.monotonic()
    await world.accounts_for(sent)
    waited = time.monotonic() - begin
    assert waited <= 25
    assert share(idle)
    await balance(world)
    proof(17, "SIGKILL of one of four workers, a fifth stands by", events=sent, seconds_to_take_over=round(waited, 1))


def share(worker: Process) -> list[int]:
    """The partition numbers that a worker has."""
    told = worker.told("assigned")
    return list(told[-1]["numbers"]) if told and worker.code is None else []


@pytest.mark.long
async def test_row_15_workers_come_and_go(empty_world: World, seed: int, minutes: float, proof: Any) -> None:
    world, dice = empty_world, random.Random(seed)
    world.crew.start("relay")
    number, sizes = 0, []
    deadline = time.monotonic() + 60 * minutes
    async with Supervisor(world) as workers:
        while time.monotonic() < deadline:
            sizes.append(dice.randint(1, 4))
            await workers.scale(sizes[-1])
            number += len(await world.send(events.load(seed + number, 500, start=number)))
            await asyncio.sleep(5)
        await balance(world)
    proof(15, "one to four workers, changed every five seconds", changes=len(sizes), events=number)


@pytest.mark.long
async def test_row_32_relays_killed_and_doubled(empty_world: World, seed: int, proof: Any) -> None:
    world, dice = empty_world, random.Random(seed)
    world.crew.start("worker")
    relays = [world.crew.start("relay") for _ in range(2)]
    kills = 0
    for round_ in range(10):
        await world.send(events.load(seed + round_, 150, start=150 * round_))
        await asyncio.sleep(dice.uniform(0.2, 1.5))
        doomed = dice.randrange(2)
        relays[doomed].kill()
        kills += 1
        relays[doomed] = world.crew.start("relay")
    await balance(world)  # a second delivery is byte for byte the first
    deliveries = await world.published("badge.awarded")
    again = len(deliveries) - len({dict(record.headers)["ce_id"] for record in deliveries})
    proof(32, "two relays, one of them killed again and again", kills=kills, delivered_again=again)


@pytest.mark.long
async def test_row_33_started_before_its_engines(fragile: tuple[World, Engines], seed: int, proof: Any) -> None:
    world, engines = fragile
    sent = len(await world.send(events.load(seed, 300)))
    slowest = 0.0
    for name in ("postgres", "kafka"):
        await asyncio.to_thread(engines.kill, name)
        async with Supervisor(world) as workers:
            await workers.scale(1)
            await asyncio.sleep(4)
            await asyncio.to_thread(engines.start_engine, name)
            begin = time.monotonic()
            while not any(worker.told("assigned") for worker in workers.workers):
                assert time.monotonic() - begin < 60, f"not ready after {name} came"
                await asyncio.sleep(0.1)
            slowest = max(slowest, time.monotonic() - begin)
            await world.send(events.load(seed + 1, 50, start=len(name) * 1000))
            await asyncio.sleep(1)
    world.crew.start("relay")
    world.crew.start("worker")
    await balance(world)
    proof(
        33, "a worker started before PostgreSQL, and before Kafka", events=sent, seconds_to_assigned=round(slowest, 1)
    )
