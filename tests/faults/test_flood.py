"""Row 25: a flood of poison pulls the brake; a restart does not lift it, `gatefold worker resume` does."""

import asyncio
import json
from typing import Any

from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.events import MARK, Message
from tests.e2e.processes import until
from tests.e2e.world import World

FLOOD = 3_000
BRAKED = {"brake_in_a_row": "50", "brake_percent": "5"}


async def test_row_25_a_flood_of_poison(empty_world: World, seed: int, proof: Any) -> None:
    world = empty_world
    world.crew.start("relay")
    workers = [await asyncio.to_thread(world.crew.worker, **BRAKED) for _ in range(2)]
    before = await world.send(events.load(seed, 200))
    await world.accounts_for(len(before))
    await world.send(Message("review.approved", f"u-{at % 40}".encode(), b'{"' + MARK.encode()) for at in range(FLOOD))
    for worker in workers:
        await asyncio.to_thread(until, lambda worker=worker: worker.get("/readyz")[0] == 503, "both stand still")
        assert "dead letters" in json.loads(worker.get("/readyz")[1])["brake"]
        assert worker.get("/healthz")[0] == 200
        assert worker.metric("gatefold_brake") == 1
    dead = len(await world.letters())
    assert dead <= 1_050
    standing = await world.accounted()

    assert await asyncio.to_thread(workers[0].terminate) == 0
    workers[0] = await asyncio.to_thread(world.crew.worker, **BRAKED)
    await asyncio.sleep(2)
    assert workers[0].get("/readyz")[0] == 503
    assert await world.accounted() == standing
    assert (await asyncio.to_thread(world.run, "worker", "resume")).code == 0
    await asyncio.to_thread(until, lambda: workers[1].metric("gatefold_brake") == 0, "the brake is lifted")
    await asyncio.to_thread(until, lambda: workers[1].metric("gatefold_brake") == 1, "the flood goes on")

    for worker in workers:
        assert await asyncio.to_thread(worker.terminate) == 0
    assert (await asyncio.to_thread(world.run, "worker", "resume")).code == 0
    assert (await asyncio.to_thread(world.run, "worker", "resume")).code == 1
    world.crew.start("worker")  # one that does not mind
    await balance(world)
    proof(25, "only poison", records=FLOOD, dead_letters_until_the_brake=dead)
