"""A dry run says what the event would earn, for one user as for a sample of them, and writes nothing."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from catalog.index import load_catalog
from contracts.envelope import Event, InvalidEvent
from services.stores import collectors
from services.stores.postgres import Connection
from services.trial.dry_run import Summary, dry_run, dry_runs, every_user
from services.trial.events import Future, named
from services.trial.knowledge import trial_knowledge
from tests.integration.trial.past import awards_of, processed, unwritten
from tests.model import pools
from tests.model.events import added, event, history

CATALOG = load_catalog()
FIELDS = frozenset(("title", "genres", "year", "labels"))
PAGE = [{"instance_id": 900 + n, "release": pools.described(n, 1, FIELDS)} for n in range(26, 40)]
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


async def run(connection: Connection, user: str, tried: Event) -> dict[str, Any] | None:
    """One user's dry run, as JSON has it."""
    async with unwritten(connection):
        found = await dry_run(connection, trial_knowledge(CATALOG), user, tried)
    decoded: dict[str, Any] | None = msgspec.json.decode(msgspec.json.encode(found))
    return decoded


async def unswept(connection: Connection, seed: int) -> None:
    """A past of which some awards were never given, as if their badges were new."""
    await processed(connection, history(seed, 120))
    await connection.execute("delete from user_badges where hashtext(badge_key || context) % 3 = 0")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("cron.sweep", {}),
        ("cron.anniversary", {"on": "2027-02-28"}),
        ("ownership.added", {"items": PAGE}),
        ("ownership.removed", {"items": [{"instance_id": n} for n in range(1, 9)]}),
        ("wishlist.added", {"release_ids": list(range(100, 150))}),
        ("collection.synced", {"sync_id": "s", "items_total": 3}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)  # fmt: skip
async def test_it_is_what_the_event_then_does(connection: Connection, seed: int, kind: str, data: Any) -> None:
    await unswept(connection, seed)
    held = await awards_of(connection)
    expected = {}
    for user in pools.USERS:
        found = await run(connection, user, named(kind, user, data, NOW, NOW))
        assert found is not None
        for one in found["passes"]:
            assert one["held"] == ((user, one["id"], one["context"]) in held)
            if not one["held"]:
                expected[user, one["id"], one["context"]] = (one["awarded_at"], one["evidence"])
        assert found["awards"] == sum(not one["held"] for one in found["passes"])
    await processed(connection, [event(kind, f"real-{user}", data, user=user, time=NOW) for user in pools.USERS])
    after = await awards_of(connection)
    assert {name: one for name, one in after.items() if name not in held} == expected


async def test_a_sample_is_its_users_one_by_one(connection: Connection) -> None:
    await unswept(connection, 3)
    await processed(connection, [added(f"first-{n}", (1, {"id": 1}), user=f"u{n:02}") for n in range(20)])
    await connection.execute("delete from user_badges where user_id like 'u0%'")
    tried = named("cron.sweep", "nobody", None, NOW, NOW)
    users = await collectors.sample(connection, 12)
    assert len(set(users)) == 12
    assert users == sorted(users)
    assert users == await collectors.sample(connection, 12)
    assert users != await collectors.sample(connection, 12, "another seed")
    assert await every_user(connection) == await collectors.sample(connection, 1000)
    summary = Summary()
    single = []
    async with unwritten(connection):
        async for found in dry_runs(connection, trial_knowledge(CATALOG), [*users, "nobody"], tried):
            summary.add(found)
            single.append(msgspec.json.decode(msgspec.json.encode(found)))
    assert single == [await run(connection, user, tried) for user in users]
    shown = summary.shown()
    assert (shown["users"], shown["failed"]) == (12, [])
    assert shown["awards"] == sum(one["awards"] for one in single) == sum(shown["by_badge"].values()) > 0
    assert shown["with_awards"] == sum(bool(one["awards"]) for one in single)
    assert shown["held"] == sum(one["held"] for run_ in single for one in run_["passes"])
    numbers = list(shown["by_badge"].values())
    assert numbers == sorted(numbers, reverse=True)


async def test_a_state_that_contradicts_itself_is_reported_and_stops_nothing(connection: Connection) -> None:
    await processed(connection, [added(f"one-{user}", (1, {"id": 1, "genres": ["Jazz"]}), user=user) for user in "ab"])
    await connection.execute("update collector set facets = '' where user_id = 'a'")
    tried = named("ownership.removed", "nobody", {"items": [{"instance_id": 1}]}, NOW, NOW)
    summary = Summary()
    async for found in dry_runs(connection, trial_knowledge(CATALOG), ["a", "b"], tried):
        summary.add(found)
    assert (summary.users, [one["user"] for one in summary.failed]) == (1, ["a"])
    assert summary.failed[0]["failed"].startswith("ValueError: ")


async def test_described(connection: Connection) -> None:
    """What the catalogue would learn, for a user who owns it."""
    await processed(
        connection, [added("bare", *((n, {"id": n, "genres": [f"G{n}"]}) for n in range(1, 5)), (5, {"id": 5}))]
    )
    tried = named("release.described", "ada", {"id": 5, "genres": ["G5"]}, NOW, NOW)
    found = await run(connection, "ada", tried)
    assert found is not None
    assert {one["id"] for one in found["passes"] if not one["held"]} == {"genre-tourist-bronze"}
    assert await run(connection, "nobody", tried) is None


def test_events_that_cannot_be() -> None:
    with pytest.raises(Future):
        named("cron.sweep", "ann", None, datetime(2027, 3, 1, 12, 0, 1, tzinfo=UTC), NOW)
    for kind, data, why in (
        ("badge.awarded", {}, "is no topic that takes events"),
        ("nothing", {}, "is no topic that takes events"),
        ("ownership.added", None, "items: missing"),
        ("ownership.added", {"items": []}, "items: "),
        ("review.approved", {"review_id": 1}, "expected str"),
        ("cron.anniversary", {"on": "2027-02-30"}, "no such day"),
        ("wishlist.added", {"release_ids": [2**70]}, "."),
        ("release.described", None, "subject: 'None' is not a release id"),
    ):
        with pytest.raises(InvalidEvent, match=why):
            named(kind, "ann", data, NOW, NOW)
    assert named("cron.anniversary", "ann", None, NOW, NOW).data.on == "2027-03-01"
