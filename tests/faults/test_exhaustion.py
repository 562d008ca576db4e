"""Rows 23 and 30: clocks that are wrong, and resources that run out."""

import asyncio
import resource
import signal
import time
from typing import Any

import asyncpg
import psutil
import pytest

from tests.conftest import Engines
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.events import added, at, copy, message
from tests.e2e.processes import START
from tests.e2e.world import SLOWLY, World
from tests.faults.supervisor import ALLOWED, Supervisor

pytestmark = pytest.mark.long

# A worker whose wall clock is wrong, and jumps: what it decides may depend on the times of events only.
WRONG_CLOCK = """
import datetime, itertools, time
from services.worker import bundle
real, jumps = time.time, itertools.cycle((3_600, -3_600, 86_400 * 366))
time.time = lambda: real() + next(jumps)
class Wrong:
    fromtimestamp = datetime.datetime.fromtimestamp
    def now(zone):
        return datetime.datetime.fromtimestamp(time.time(), zone)
bundle.datetime = Wrong
"""
WRONG_CLOCK += START
END_WORKERS = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'gatefold-worker%'"
# Extensions in C do not all look whether they were given what they asked for.
CRASHES = (-signal.SIGSEGV, -signal.SIGABRT)
MEMORY_LEFT = 8 * 1024**2
ACCOUNTED = "select coalesce(sum(next_offset - base_offset), 0) from offset_ledger"


async def test_row_23_a_clock_that_jumps(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    async with Supervisor(world, program=WRONG_CLOCK, **SLOWLY) as workers:
        await workers.scale(2)
        sent = len(await world.send(events.load(seed, 600)))
        await world.accounts_for(sent)
        await balance(world)
        assert not workers.ends
    proof(23, "workers whose clock jumps by hours and a year", events=sent, differences=0)


async def test_row_30_no_file_descriptors_left(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    async with Supervisor(world, **SLOWLY) as workers:
        await workers.scale(1)
        (worker,) = workers.workers
        await asyncio.to_thread(worker.wait_for, "assigned")
        sent = len(await world.send(events.load(seed, 600)))
        await world.accounts_for(sent // 10)
        process = psutil.Process(worker.child.pid)
        before = process.rlimit(resource.RLIMIT_NOFILE)
        process.rlimit(resource.RLIMIT_NOFILE, (8, before[1]))
        async with world.database() as connection:
            await connection.execute(END_WORKERS)
            await asyncio.sleep(10)
            assert await connection.fetchval(ACCOUNTED) < sent, "the limit came too late"
        process.rlimit(resource.RLIMIT_NOFILE, before)
        begin = time.monotonic()
        await world.accounts_for(sent)
        waited = time.monotonic() - begin
        oracle = await balance(world)
        assert len(await world.letters()) == len(oracle.dead)
        restarts = sum(workers.ends.values())
    proof(30, "no file descriptors for 10 s", events=sent, restarts=restarts, seconds_to_drained=round(waited, 1))


async def test_row_30_no_connections_left(fragile: tuple[World, Engines], seed: int, proof: Any) -> None:
    world, _ = fragile
    world.crew.start("relay")
    async with Supervisor(world, **SLOWLY) as workers:
        await workers.scale(1)
        (worker,) = workers.workers
        await asyncio.to_thread(worker.wait_for, "assigned")
        done = len(await world.send(events.load(seed, 300)))
        await world.accounts_for(done)
        async with world.database() as connection:
            hogs: list[asyncpg.Connection[asyncpg.Record]] = []
            for attempt in range(100):
                try:
                    while True:
                        hogs.append(await asyncpg.connect(world.settings.postgres_url))
                except asyncpg.TooManyConnectionsError:
                    await asyncio.sleep(0.1)
                if attempt == 0:
                    await connection.execute(END_WORKERS)
                if attempt == 10:
                    sent = done + len(await world.send(events.load(seed + 1, 300, start=300)))
            assert await connection.fetchval(ACCOUNTED) == done, "the connections went too late"
        for hog in hogs:
            hog.terminate()
        begin = time.monotonic()
        await world.accounts_for(sent)
        waited = time.monotonic() - begin
        oracle = await balance(world)
        assert len(await world.letters()) == len(oracle.dead)
        restarts = sum(workers.ends.values())
    proof(30, "no connections left for 10 s", events=sent, restarts=restarts, seconds_to_drained=round(waited, 1))


async def test_row_30_no_memory_left(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    async with Supervisor(world, allowed=(*ALLOWED, *CRASHES)) as workers:
        await workers.scale(1)
        (worker,) = workers.workers
        await asyncio.to_thread(worker.wait_for, "assigned")
        process = psutil.Process(worker.child.pid)
        most = process.memory_info().vms + MEMORY_LEFT
        process.rlimit(resource.RLIMIT_AS, (most, most))
        # What is left is less than one fetch of such pages takes.
        items = [copy(1 + n, 1000 + n % 50) for n in range(500)]
        pages = [message(added(f"big-{n}", f"big-page-{n}", items, time=at(n))) for n in range(100)]
        sent = len(await world.send([*events.load(seed, 200), *pages]))
        begin = time.monotonic()
        await world.accounts_for(sent, seconds=120)
        waited = time.monotonic() - begin
        oracle = await balance(world)
        assert len(await world.letters()) == len(oracle.dead)
        assert workers.ends, "the memory lasted"
        codes = " and ".join(str(code) for code in workers.ends)
    left = f"{MEMORY_LEFT // 1024**2} MB of memory left: ended with {codes}"
    proof(30, left, events=sent, restarts=sum(workers.ends.values()), seconds_to_drained=round(waited, 1))
