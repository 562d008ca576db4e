"""The worker looks for cycles of objects once a minute: a bundle that left some would fill the memory until then."""

import gc
from collections import Counter

from services.stores.postgres import Connection
from tests.model import lab, pools
from tests.model.events import event, history, minutes
from tests.model.lab import Log, relay_sweeps


async def test_no_bundle_leaves_cycles(connection: Connection) -> None:
    log, known = Log(), lab.knowledge()
    for one in history(5, 160):
        log.append(one)
    await lab.drain(connection, known, log, 40)  # what is kept for ever is made once
    for one in history(6, 160):
        log.append({**one, "id": f"{one['id']}-again"})
    for at, user in enumerate(pools.USERS):
        log.append(event("cron.sweep", f"sweep-{user}", {}, user=user, time=minutes(500)))
        log.append(event("user.deleted", f"gone-{user}", {}, user=user, time=minutes(at)))
    log.poison("ownership.added", 0, b"ada", b"{")
    gc.collect()
    gc.disable()
    try:
        await lab.drain(connection, known, log, 40)
        if await relay_sweeps(connection, log):
            await lab.drain(connection, known, log, 40)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        ours = Counter(type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith("services."))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not ours
