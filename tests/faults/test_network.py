"""Rows 12, 13, 14 and 18: a broker that hangs, connections that go bad, answers that are errors."""

import asyncio
import random
import signal
import time
from typing import Any

import psutil
import pytest

from tests.conftest import Engines
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.events import added, at, copy, message
from tests.e2e.world import World
from tests.faults.commits import CommitProxy
from tests.faults.front import API_NAMES, COMMIT, FETCH, HEARTBEAT, JOIN, SYNC, KafkaFront
from tests.faults.link import Link
from tests.faults.supervisor import Supervisor

pytestmark = pytest.mark.long

CODES = (-1, 14, 15, 16, 22, 25, 27, 42, 82)
REBALANCE = 27
FREEZES = (11, 45, 11, 11, 11)
SECONDS = 120.0


async def test_row_12_the_broker_hangs(fragile: tuple[World, Engines], seed: int, proof: Any) -> None:
    world, _ = fragile
    world.crew.start("relay")
    async with Supervisor(world) as workers:
        await workers.scale(1)
        sent = len(await world.send(events.load(seed, 400)))
        await world.accounts_for(sent)
        port = int(world.settings.bootstrap.rpartition(":")[2])
        (broker,) = {
            one.pid for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port == port
        }
        process = psutil.Process(broker)
        waited = 0.0
        # Longer than a session each: the group is gone when the broker wakes up, and everybody talks at once.
        for frozen in FREEZES:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(frozen)
            process.send_signal(signal.SIGCONT)
            begin = time.monotonic()
            sent += len(await world.send(events.load(seed + sent, 200, start=sent)))
            await world.accounts_for(sent, seconds=SECONDS)
            waited = max(waited, time.monotonic() - begin)
        await balance(world)
        assert waited <= 15
        assert not workers.ends
        frozen_for = ", ".join(f"{frozen} s" for frozen in FREEZES)
        proof(12, f"the broker frozen for {frozen_for}", events=sent, seconds_to_drained_at_most=round(waited, 1))


FAULTS: dict[str, Any] = {
    "cut off": None,
    "silent there": {"silent_there": True},
    "silent back": {"silent_back": True},
}


@pytest.mark.parametrize("engine", ["kafka", "postgres"])
async def test_row_13_a_network_that_breaks(empty_world: World, seed: int, engine: str, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    kafka = KafkaFront(world.settings.bootstrap)
    postgres = CommitProxy(world.settings.postgres_url, seed)
    async with kafka.open(), postgres.open():
        settings = {"kafka_url": kafka.address, "postgres_url": postgres.url}
        async with Supervisor(world, **settings) as workers:
            await workers.scale(1)
            broken = kafka if engine == "kafka" else postgres
            number, slowest = 0, 0.0
            for fault in FAULTS.values():
                number += len(await world.send(events.load(seed + number, 200, start=number)))
                await world.accounts_for(number, seconds=SECONDS)
                if fault is None:
                    assert await broken.cut()
                else:
                    _set(broken.link, **fault)
                    number += len(await world.send(events.load(seed + number, 200, start=number)))
                    await asyncio.sleep(15)
                    broken.link.heal()
                    await broken.cut()
                begin = time.monotonic()
                await world.accounts_for(number, seconds=SECONDS)
                slowest = max(slowest, time.monotonic() - begin)
            assert slowest <= 60
            await balance(world)
    faults = ", ".join(FAULTS)
    proof(13, f"{faults}: worker and {engine}", events=number, seconds_after_healing=round(slowest, 1))


@pytest.mark.parametrize(
    "fault",
    [{"latency": 0.2, "jitter": 0.1}, {"rate": 10_000.0}, {"slices": 1}],
    ids=["200 ms", "10 KB a second", "one byte a packet"],
)
async def test_row_14_a_slow_network(
    empty_world: World, seed: int, fault: dict[str, Any], request: pytest.FixtureRequest, proof: Any
) -> None:
    world = empty_world
    world.crew.start("relay")
    kafka = KafkaFront(world.settings.bootstrap)
    async with kafka.open(), Supervisor(world, kafka_url=kafka.address) as workers:
        await workers.scale(1)
        (worker,) = workers.workers
        await asyncio.to_thread(worker.wait_for, "assigned")
        _set(kafka.link, **fault)
        sent = len(await world.send(events.load(seed, 150)))
        begin = time.monotonic()
        await world.accounts_for(sent, seconds=SECONDS)
        waited = time.monotonic() - begin
        assert len(worker.told("assigned")) == 1
        kafka.link.heal()
        await balance(world)
    name = request.node.callspec.id
    proof(14, f"{name} between worker and Kafka", events=sent, seconds=round(waited, 1), rebalances=0)


def _set(link: Link, **faults: Any) -> None:
    for name, value in faults.items():
        setattr(link, name, value)


@pytest.mark.parametrize("api", [JOIN, SYNC, HEARTBEAT, COMMIT, FETCH], ids=API_NAMES.get)
async def test_row_18_an_error_code(empty_world: World, seed: int, api: int, proof: Any) -> None:
    world, dice = empty_world, random.Random(seed)
    world.crew.start("relay")
    front = KafkaFront(world.settings.bootstrap)
    slowest, sent = 0.0, 0
    async with front.open(), Supervisor(world, kafka_url=front.address) as workers:
        await workers.scale(1)
        await asyncio.to_thread(workers.workers[0].wait_for, "assigned")
        for code in dice.sample(CODES, len(CODES)):
            front.arm(api, code)
            if api in (JOIN, SYNC):
                front.arm(HEARTBEAT, REBALANCE)  # so that it joins again
            begin = time.monotonic()
            while front.armed(api) or await world.accounted() < sent:
                user, item = f"user-{sent % 7}", copy(sent + 1, sent % 50 + 1, genres=[f"G{sent % 9}"])
                await world.send([message(added(user, f"e{sent}", [item], time=at(sent)))])
                sent += 1
                assert time.monotonic() - begin < SECONDS, f"code {code}"
                await asyncio.sleep(0.1)
            assert front.spoiled[api, code] == 1
            slowest = max(slowest, time.monotonic() - begin)
            front.disarm()
        await balance(world)
        restarts = workers.ends[75]
    what = f"nine error codes in answers to {API_NAMES[api]}"
    proof(18, what, seconds_at_most=round(slowest, 1), restarts=restarts, events=sent)
