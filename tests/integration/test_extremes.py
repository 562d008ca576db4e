"""What is valid but enormous: keys, collections, users; nothing of it may stop a partition."""

import random

from services.stores.postgres import Connection
from services.stores.queries import statements
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log


async def test_a_dead_letter_may_have_any_key(connection: Connection) -> None:
    log = Log()
    key = random.Random(1).randbytes(8000)
    log.poison("review.approved", 0, key, b"{}")
    log.append(event("review.approved", "good", {"review_id": "r"}))
    done = await lab.drain(connection, lab.knowledge(), log)
    assert [(one.processed, one.dead) for one in done] == [(1, 1)]
    assert await connection.fetchval("select key from dead_letter") == key


async def test_a_collection_may_have_any_number_of_styles(connection: Connection) -> None:
    log = Log()
    for page in range(6):
        log.append(
            added(f"page {page}", (page + 1, {"id": page + 1, "styles": [f"style {page}.{n}" for n in range(500)]}))
        )
    known = lab.knowledge()
    await lab.drain(connection, known, log, size=1)
    assert (await lab.state_of(connection))["ada"]["styles"] == 3000
    log.append(event("cron.sweep", "sweep", {}))
    await lab.drain(connection, known, log)
    assert await lab.drift_of(connection, ["ada"]) == {}


async def test_a_large_collection_is_swept_and_erased(connection: Connection) -> None:
    log = Log()
    for page in range(10):
        items = [(n, {"id": n, "year": 1950 + n % 70, "labels": [{"name": f"label {n % 900}"}]}) for n in
                 range(page * 500 + 1, page * 500 + 501)]  # fmt: skip
        log.append(added(f"page {page}", *items, time=minutes(page)))
    log.append(event("cron.sweep", "sweep", {}, time=minutes(20)))
    known = lab.knowledge()
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["releases"] == 5000
    assert await lab.drift_of(connection, ["ada"]) == {}
    log.append(event("user.deleted", "gone", {}, time=minutes(30)))
    await lab.drain(connection, known, log)
    for table in ("collector", "owned", "owned_release", "facet_count", "facts", "user_badges"):
        assert await connection.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608


async def test_erasure_and_descriptions_look_rows_up_by_index(connection: Connection) -> None:
    """A scan of all owners would hold the catalogue's lock for as long as there are users."""
    for subject, name, arguments, index in (
        ("facts", "prune", "array[1, 2]::bigint[]", "owned_release_owners"),
        ("news", "owners", "1, '', 1000", "owned_release_owners"),
        ("erasure", "messages", "'ada'", "outbox_subject"),
        ("erasure", "letters", "'ada'", "dead_letter_key"),
    ):
        await connection.execute(f"prepare looked_at as {statements(subject)[name]}")
        rows = await connection.fetch(f"explain execute looked_at({arguments})")
        plan = "\n".join(row[0] for row in rows)
        await connection.execute("deallocate looked_at")
        assert index in plan, f"{subject}.{name}:\n{plan}"
