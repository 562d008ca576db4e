"""PostgreSQL and Kafka go away in the middle and come back: the processes wait and resume, nothing is lost or twice."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from services.stack.stack import ENGINES, Stack
from tests.conftest import Engines
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.processes import until
from tests.e2e.world import SLOWLY, World, new_world

LOAD = 500


@pytest.fixture(scope="module")
def own_engines() -> Iterator[Engines]:
    """Engines that may be killed: nobody else's, whatever the environment names."""
    with pytest.MonkeyPatch.context() as patch:
        for engine in ENGINES.values():
            patch.delenv(engine.setting, raising=False)
        if os.environ.get("GATEFOLD_TEST_STACK") == "containers":
            from tests.containers import running_containers

            with running_containers() as containers:
                yield containers
        else:
            with Stack.temporary(("postgres", "kafka")) as stack:
                yield stack


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fragile(own_engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A slow worker and a relay on engines that will be killed."""
    async with new_world(own_engines.endpoints(), tmp_path_factory.mktemp("fragile")) as world:
        world.relay = world.crew.start("relay")
        world.worker = await asyncio.to_thread(world.crew.worker, **SLOWLY)
        yield world


async def test_the_scheduler_waits_for_postgres_and_goes_on(fragile: World, own_engines: Engines) -> None:
    """Before there are users: a sweep of today would earn what the model, topic after topic, dates otherwise."""
    world = fragile
    scheduler = world.crew.start("scheduler", cron_rate="10000")
    await asyncio.to_thread(scheduler.wait_for, "run done", times=5)
    await asyncio.to_thread(own_engines.kill, "postgres")
    until(lambda: scheduler.get("/readyz")[0] == 503, "the scheduler is not ready")
    assert scheduler.get("/healthz")[0] == 200
    await asyncio.to_thread(own_engines.start_engine, "postgres")
    until(lambda: scheduler.get("/readyz")[0] == 200, "the scheduler is ready again")
    await asyncio.to_thread(scheduler.wait_for, "leading", times=2)
    await world.query("update cron_run set finished_at = null where name = 'holders'")
    done = await asyncio.to_thread(scheduler.wait_for, "run done", times=6)
    assert done["name"] == "holders"
    assert await asyncio.to_thread(scheduler.terminate) == 0


async def test_postgres_killed_and_away_for_a_while(fragile: World, own_engines: Engines) -> None:
    world = fragile
    sent = len(await world.send(events.load(21, LOAD)))
    await world.accounts_for(sent // 10)
    await asyncio.to_thread(own_engines.kill, "postgres")
    until(lambda: world.worker.told("waiting for PostgreSQL") != [], "the worker notices")
    until(lambda: world.worker.get("/readyz")[0] == 503, "the worker is not ready")
    until(lambda: world.relay.get("/readyz")[0] == 503, "the relay is not ready")
    # Away for longer than any pause between two attempts.
    tried = world.worker.metric("gatefold_bundle_retries_total")
    until(lambda: world.worker.metric("gatefold_bundle_retries_total") >= tried + 4, "the worker tries again")
    assert world.worker.get("/healthz")[0] == 200
    assert world.relay.get("/healthz")[0] == 200
    await asyncio.to_thread(own_engines.start_engine, "postgres")
    until(lambda: world.worker.get("/readyz")[0] == 200, "the worker is ready again")
    oracle = await balance(world)
    assert len(await world.letters()) == len(oracle.dead)
    assert (world.worker.code, world.relay.code) == (None, None)
    assert len(world.worker.told("assigned")) == 1


async def test_a_worker_is_stopped_while_postgres_is_away(fragile: World, own_engines: Engines) -> None:
    world = fragile
    before = await world.accounted()
    sent = len(await world.send(events.load(24, LOAD // 2, name="m", start=3 * LOAD)))
    await world.accounts_for(before + sent // 10)
    await asyncio.to_thread(own_engines.kill, "postgres")
    until(lambda: world.worker.get("/readyz")[0] == 503, "the worker is not ready")
    begin = time.monotonic()
    assert await asyncio.to_thread(world.worker.terminate) == 0
    assert time.monotonic() - begin <= 10
    await asyncio.to_thread(own_engines.start_engine, "postgres")
    world.worker = await asyncio.to_thread(world.crew.worker, **SLOWLY)
    await balance(world)


async def test_kafka_killed_and_away_for_a_while(fragile: World, own_engines: Engines) -> None:
    world = fragile
    before = await world.accounted()
    sent = len(await world.send(events.load(22, LOAD, name="k", start=LOAD)))
    await world.accounts_for(before + sent // 10)
    await asyncio.to_thread(own_engines.kill, "kafka")
    for process in (world.worker, world.relay):
        until(lambda process=process: "Unable connect to node" in process.tail(), f"{process.name} notices")
    assert world.worker.get("/healthz")[0] == 200
    assert world.relay.get("/healthz")[0] == 200
    await asyncio.to_thread(own_engines.start_engine, "kafka")
    more = len(await world.send(events.load(23, LOAD // 5, name="l", start=2 * LOAD)))
    assert more == LOAD // 5
    await balance(world)
    until(lambda: world.relay.get("/readyz")[0] == 200, "the relay is ready again")
    assert world.relay.code is None
    assert world.worker.code is None
