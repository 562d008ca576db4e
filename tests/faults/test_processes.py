"""Rows 1, 2, 15, 16, 32 and 33: processes that are killed, stopped, doubled, or started into nothing."""

import asyncio
import random
import time
from typing import Any

import pytest

from tests.conftest import Engines
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.processes import until
from tests.e2e.world import SLOWLY, World
from tests.faults.supervisor import Supervisor

KILLS = 8
LOAD = 1_200


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
    sent = len(await world.send(events.load(seed, LOAD)))
    longest = 0.0
    for at in range(len(workers)):
        begin = time.monotonic()
        assert await asyncio.to_thread(workers[at].terminate) == 0
        longest = max(longest, time.monotonic() - begin)
        workers[at] = await asyncio.to_thread(world.crew.worker, **SLOWLY)
    assert longest <= 10
    world.crew.start("worker")
    await balance(world)
    assert all(worker.code is None for worker in workers)
    proof(2, "SIGTERM of three workers in turn, under load", events=sent, seconds_to_stop_at_most=round(longest, 1))


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
