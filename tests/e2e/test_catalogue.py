"""`release.described`: owners whose facts change are told by a `cron.sweep`, and badges follow; sweeps repair, too."""

import asyncio
import json

from tests.e2e.events import added, at, copy, event, message
from tests.e2e.world import World, by_user
from tests.model.oracle import Event


def described(name: str, time: float, **facts: object) -> Event:
    """`release.described` of release 5001."""
    return event("release.described", "5001", name, {"id": 5001, **facts}, time=at(time))


async def sweeps(world: World, users: set[str]) -> list[tuple[str, str, str]]:
    """User, id and time of every sweep that the relay published for these users."""
    found = []
    for record in await world.published("cron.sweep"):
        headers = {name: value.decode() for name, value in record.headers}
        if headers.get("ce_source") == "gatefold" and headers["ce_subject"] in users:
            assert record.key == headers["ce_subject"].encode()
            found.append((headers["ce_subject"], headers["ce_id"], headers["ce_time"]))
    return sorted(found)


async def test_owners_are_told_where_facts_change(world: World) -> None:
    users = {"cat-ann", "cat-bob", "cat-cid", "cat-dan"}
    await world.send(
        map(
            message,
            [
                added("cat-ann", "cat-1", [copy(1, 5001, title="T", country="UK")], time=at(1)),
                added("cat-bob", "cat-2", [copy(1, 5001, title="T", country="UK", have=5)], time=at(1)),
                added("cat-cid", "cat-3", [copy(1, 5002, title="Another")], time=at(1)),
                added("cat-dan", "cat-4", [copy(1, 5001)], time=at(1)),
                event("ownership.removed", "cat-dan", "cat-5", {"items": [{"instance_id": 1}]}, time=at(2)),
            ],
        )
    )
    await world.drained()
    assert ("deep-cut", "") in by_user(await world.awards(), "cat-bob")
    await world.send([message(described("described-1", 50, have=99))])
    await world.drained()
    # Both owners' counted facts change: one had none of it, the other another number. Nobody else is told.
    told = await sweeps(world, users)
    assert [(user, time) for user, _, time in told] == [
        (user, f"{at(50):%Y-%m-%dT%H:%M:%SZ}") for user in ("cat-ann", "cat-bob")
    ]
    assert (await world.awards("cat-ann"))["cat-ann", "deep-cut", ""]["awarded_at"] == f"{at(50):%Y-%m-%dT%H:%M:%SZ}"
    evidence = (await world.awards("cat-ann"))["cat-ann", "deep-cut", ""]["evidence"]
    assert (evidence["metric"], evidence["value"], evidence["target"]) == ("deep_cuts", 1, 1)

    # Nothing new, an older statement, and the same event once more: nobody is told.
    await world.send(
        map(
            message,
            [
                described("described-2", 51, have=99),
                described("described-3", 40, have=7),
                described("described-1", 50, have=99),
            ],
        )
    )
    await world.drained()
    assert await sweeps(world, users) == told
    # It becomes common: the award stands, the number does not.
    await world.send([message(described("described-4", 60, have=100))])
    await world.drained()
    assert len(await sweeps(world, users)) == 4
    state = await world.state()
    assert [state[user]["deep_cuts"] for user in ("cat-ann", "cat-bob")] == [0, 0]
    assert ("deep-cut", "") in by_user(await world.awards(), "cat-ann")


async def test_what_is_stated_later_by_a_user_does_not_outdo_the_catalogue(world: World) -> None:
    await world.send(
        [message(event("release.described", "5003", "cat-6", {"id": 5003, "genres": ["Rock"]}, time=at(1)))]
    )
    await world.drained()
    await world.send(
        [message(added("cat-eve", "cat-7", [copy(1, 5003, genres=["Jazz", "Pop"], styles=["Bop"])], time=at(9)))]
    )
    await world.drained()
    state = (await world.state())["cat-eve"]
    assert (state["genres"], state["styles"]) == (1, 1)


async def test_recount_repairs_what_was_broken_by_hand(world: World) -> None:
    user = "broken-ann"
    page = [copy(n, 6000 + n, genres=["Rock"], master_id=9, year=1970 + n) for n in range(1, 4)]
    await world.send([message(added(user, "broken-1", page, time=at(1)))])
    await world.drained()
    right = (await world.state())[user]
    assert (right["releases"], right["largest_decade"], right["pressings"]) == (3, 3, {"9": 3})
    await world.query("update collector set releases = 99, genres = 0 where user_id = $1", user)
    await world.query("update facet_count set n = 7 where user_id = $1 and facet = 'm'", user)
    check = await asyncio.to_thread(world.run, "recount", "--user", user, "--check", "--json")
    assert check.code == 1
    drift = json.loads(check.out)["drift"][user]
    assert (drift["releases"], drift["genres"]) == ([99, 3], [0, 1])
    assert (await world.state())[user]["releases"] == 99
    repair = await asyncio.to_thread(world.run, "recount", "--user", user)
    assert repair.code == 0
    assert "releases is 99, counted 3" in repair.out
    assert (await world.state())[user] == right
    assert (await asyncio.to_thread(world.run, "recount", "--user", user, "--check")).code == 0
    assert (await asyncio.to_thread(world.run, "recount", "--user", "nobody", "--check")).code == 1


async def test_a_sweep_repairs_and_reports_drift(world: World) -> None:
    user = "broken-bob"
    await world.send(
        [message(event("review.approved", user, f"broken-r-{n}", {"review_id": str(n)}, time=at(n))) for n in range(5)]
    )
    await world.drained()
    before = world.worker.metric("gatefold_drift_total")
    await world.query("update collector set reviews = 2, edits = 4 where user_id = $1", user)
    await world.send([message(event("cron.sweep", user, "sweep-bob-1", time=at(100)))])
    await world.drained()
    state = (await world.state())[user]
    assert (state["reviews"], state["edits"]) == (5, 0)
    assert world.worker.metric("gatefold_drift_total") == before + 2
    assert world.worker.told("drift repaired")[-1]["counters"] == ["edits", "reviews"]
    await world.send([message(event("cron.sweep", user, "sweep-bob-2", time=at(101)))])
    await world.drained()
    assert world.worker.metric("gatefold_drift_total") == before + 2
    assert by_user(await world.awards(), user) == [("reviewer-i", ""), ("reviewer-ii", "")]
