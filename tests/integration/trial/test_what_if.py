"""What-if says what then really happens, and writes nothing."""

import random
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from catalog.index import load_catalog
from services.stores import ownership
from services.stores.postgres import Connection
from services.trial.knowledge import trial_knowledge
from services.trial.what_if import decoder, what_if
from tests.integration.trial.past import awards_of, processed, unwritten
from tests.model import lab, pools
from tests.model.events import NOON, added, event, history, minutes, removed
from tests.model.measures import FIELDS

CATALOG = load_catalog()
LATER = minutes(1)
WARP = [{"id": 23528, "name": "Warp"}]


async def tried(connection: Connection, user: str, change: dict[str, Any], time: Any = LATER) -> dict[str, Any]:
    """The answer, as JSON has it."""
    asked = decoder.decode(msgspec.json.encode(change))
    async with unwritten(connection):
        found = await what_if(connection, trial_knowledge(CATALOG), user, asked, time)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return decoded


@pytest.mark.parametrize("seed", range(12))
async def test_what_is_tried_is_what_happens(connection: Connection, seed: int) -> None:
    await processed(connection, history(seed, 60))
    dice = random.Random(seed)
    for turn in range(5):
        user = dice.choice((*pools.USERS, "new"))
        time = NOON + timedelta(days=100 + 200 * turn)
        owned = await ownership.copies_of(connection, user)
        present = [instance for instance, copy in owned.items() if copy.present]
        leaving = dice.sample(present, min(len(present), dice.randrange(4)))
        coming = [
            pools.described(dice.randint(1, 40), dice.randrange(4), frozenset(dice.sample(FIELDS, dice.randint(4, 11))))
            for _ in range(dice.choice((0, 1, 3, 30)))
        ]
        said = await tried(connection, user, {"add": coming, "remove": [*leaving, 77_777]}, time)
        assert said["unknown"] == [77_777]
        before = await awards_of(connection)
        events = []
        if leaving:
            events.append(removed(f"sold-{turn}", *leaving, user=user, time=time))
        if coming:
            numbered = enumerate(coming, 1000 * (turn + 1))
            events.append(added(f"bought-{turn}", *numbered, user=user, time=time))
        await processed(connection, events)
        after = await awards_of(connection)
        new = {name: one[1] for name, one in after.items() if name not in before}
        assert {(user, one["id"], one["context"]): one["evidence"] for one in said["gains"]} == new
        assert sum(map(len, (said["gains"], said["loses"], said["changes"]))) or not events or not coming


async def test_before_you_sell_this_record(connection: Connection) -> None:
    await connection.execute("insert into catalogue_total values ('label', 23528, 20, '2026-02-01')")
    await processed(
        connection,
        [added("page", *((n, {"id": n, "genres": [f"G{n}"], "labels": WARP, "year": 1950 + n}) for n in range(1, 11)))],
    )
    said = await tried(connection, "ada", {"remove": [1, 5, 6]}, minutes(1))
    assert said["gains"] == []
    assert {(one["id"], one["context"], one["before"], one["after"]) for one in said["loses"]} == {
        ("owner-ii", "", 10, 7),
        ("genre-tourist-silver", "", 10, 7),
        ("label-loyalist-silver", "label:23528", 50, 35),
    }
    assert all(one["award_stands"] for one in said["loses"])
    changes = {(one["metric"], one["context"]): (one["before"], one["after"]) for one in said["changes"]}
    assert changes["releases", ""] == (10, 7)
    assert changes["oldest_age_years", ""] == (75, 74)
    assert changes["label_coverage", "label:23528"] == (50, 35)
    assert "reviews" not in {metric for metric, _ in changes}


async def test_copies_of_one_release_lose_nothing_until_the_last(connection: Connection) -> None:
    await processed(connection, [added("two", (1, {"id": 7}), (2, {"id": 7}))])
    assert (await tried(connection, "ada", {"remove": [1]}))["changes"] == []
    both = await tried(connection, "ada", {"remove": [1, 2, 2]})
    assert [one["id"] for one in both["loses"]] == ["owner-i"]
    # Who sells one and buys it again has lost nothing.
    again = await tried(connection, "ada", {"remove": [1, 2], "add": [{"id": 7}]})
    assert (again["gains"], again["loses"], again["changes"]) == ([], [], [])


async def test_nobody_and_nothing(connection: Connection) -> None:
    assert await tried(connection, "nobody", {}) == {"gains": [], "loses": [], "changes": [], "unknown": []}
    assert (await tried(connection, "nobody", {"remove": [1]}))["unknown"] == [1]
    first = await tried(connection, "nobody", {"add": [{"id": 1, "genres": ["A genre that nobody ever stated"]}]})
    assert [one["id"] for one in first["gains"]] == ["owner-i"]
    assert {"metric": "genres", "context": "", "before": 0, "after": 1} in first["changes"]


async def test_a_revoked_award_is_not_gained_again(connection: Connection) -> None:
    await processed(connection, [added("one", (1, {"id": 1})), removed("sold", 1, time=minutes(1))])
    await connection.execute("update user_badges set revoked_at = now()")
    assert (await tried(connection, "ada", {"add": [{"id": 2}]}, minutes(2)))["gains"] == []
    await processed(connection, [event("user.deleted", "bye", {}, time=minutes(3))])
    gains = (await tried(connection, "ada", {"add": [{"id": 2}]}, minutes(4)))["gains"]
    assert [one["id"] for one in gains] == ["owner-i"]


async def test_nobody_waits_for_it(connection: Connection, database: str) -> None:
    """A worker that holds the user's row does not hold up who asks."""
    await processed(connection, [added("one", (1, {"id": 1}))])
    worker = await lab.worker_connection(database)
    async with worker.transaction():
        await worker.fetch("select * from collector for update")
        await worker.execute("lock table owned in row exclusive mode")
        assert [one["id"] for one in (await tried(connection, "ada", {"remove": [1]}))["loses"]] == ["owner-i"]
    await worker.close()
