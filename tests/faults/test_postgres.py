"""Rows 8, 9 and 10: PostgreSQL that hangs, whose answer is lost, whose rows others hold."""

import asyncio
import random
import signal
from typing import Any

import asyncpg
import psutil
import pytest

from tests.conftest import Engines
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.world import SLOWLY, World
from tests.faults.commits import CommitProxy


@pytest.mark.parametrize("count", [700, pytest.param(12_000, marks=pytest.mark.long)])
async def test_row_09_the_reply_to_commit_is_lost(empty_world: World, seed: int, count: int, proof: Any) -> None:
    world = empty_world
    proxy = CommitProxy(world.settings.postgres_url, seed)
    async with proxy.open():
        world.crew.start("relay")
        worker = await asyncio.to_thread(world.crew.worker, postgres_url=proxy.url, **SLOWLY | {"bundle_records": "5"})
        proxy.share = 0.3
        sent = len(await world.send(events.load(seed, count)))
        await world.accounts_for(sent, seconds=600)
        proxy.share = 0.0
        oracle = await balance(world)
        assert worker.code is None
        assert await asyncio.to_thread(worker.terminate) == 0
    done, undone = proxy.lost["reply"], proxy.lost["request"]
    assert done > 10
    assert undone > 10
    assert len(await world.letters()) == len(oracle.dead)
    proof(9, "COMMIT without a reply", replies_lost=done, requests_lost=undone, events=sent, differences=0)


@pytest.mark.long
async def test_row_08_postgres_hangs(fragile: tuple[World, Engines], seed: int, proof: Any) -> None:
    world, _ = fragile
    world.crew.start("relay")
    worker = await asyncio.to_thread(world.crew.worker, **SLOWLY)
    sent = len(await world.send(events.load(seed, 600)))
    await world.accounts_for(sent // 10)
    async with world.database() as connection:
        postmaster = psutil.Process(await connection.fetchval("select pg_backend_pid()")).parent()
    assert postmaster is not None
    frozen = [postmaster, *postmaster.children()]
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(20)
        assert worker.get("/healthz")[0] == 200
        assert worker.get("/readyz")[0] == 503
    finally:
        for process in frozen:
            if process.is_running():
                process.send_signal(signal.SIGCONT)
    oracle = await balance(world)
    assert len(worker.told("assigned")) == 1
    assert len(await world.letters()) == len(oracle.dead)
    proof(8, "PostgreSQL frozen for 20 s", events=sent, rebalances=0, dead_letters_of_it=0)


@pytest.mark.long
async def test_row_10_rows_that_others_hold(empty_world: World, seed: int, proof: Any) -> None:
    world, dice = empty_world, random.Random(seed)
    world.crew.start("relay")
    worker = await asyncio.to_thread(world.crew.worker, **SLOWLY)
    sent = len(await world.send(events.load(seed, 600)))
    held = 0
    async with world.database() as connection:
        for _ in range(6):
            await asyncio.sleep(0.3)
            transaction = connection.transaction()
            await transaction.start()
            try:
                users = [row[0] for row in await connection.fetch("select user_id from collector")]
                dice.shuffle(users)  # in no order, so that it may also be a deadlock
                for user in users[: len(users) // 2]:
                    await connection.execute("select from collector where user_id = $1 for update", user)
                    held += 1
                await asyncio.sleep(2.5)
            except asyncpg.DeadlockDetectedError:
                pass
            finally:
                await transaction.rollback()
    oracle = await balance(world)
    assert worker.code is None
    assert len(await world.letters()) == len(oracle.dead)
    retries = int(worker.metric("gatefold_bundle_retries_total"))
    assert retries > 0
    proof(10, "rows held by another transaction, in no order", rows_held=held, retries=retries, events=sent)
