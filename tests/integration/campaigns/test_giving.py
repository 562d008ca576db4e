"""Who is given what, once, and who is told."""

from collections.abc import Iterable
from typing import Any

import pytest

from services.campaigns.sample import trial
from services.campaigns.scope import NothingToEarn, UnknownScope, target
from services.stores import campaigns
from services.stores.campaigns import Notify
from services.stores.postgres import Connection
from services.worker.work import Knowledge
from tests.integration.campaigns.world import CATALOG, collection, forget_awards, messages, start
from tests.model import lab
from tests.model.events import added, event
from tests.model.lab import Log


async def test_a_new_badge_is_given_once_with_the_day_it_was_first_met(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for one in [*collection("ann", 12), *collection("bob", 4), *collection("cid", 7)]:
        log.append(one)
    await lab.drain(connection, known, log)
    auto = await forget_awards(connection)
    begun = await start(connection, "family", "genre-tourist")
    assert (begun.state, begun.users, begun.badge_keys[0]) == ("running", 3, "genre-tourist-bronze")
    await lab.campaign(connection, known, log, begun.campaign_id)
    given = await lab.awards_of(connection)
    expected = {name: award for name, award in auto.items() if name[1].startswith("genre-tourist")}
    assert given.keys() == expected.keys()
    for name, award in given.items():
        assert (award["awarded_at"], award["source"]) == (expected[name]["awarded_at"], "backfill")
        assert award["evidence"] == expected[name]["evidence"], "numbers and record are those of that day"
    rows = await connection.fetch("select campaign_id, trigger, caused_by, award_id from user_badges")
    assert {row["campaign_id"] for row in rows} == {begun.campaign_id}
    assert {row["trigger"] for row in rows} == {"cron.sweep"}
    told = await messages(connection)
    assert {one["campaign_id"] for one in told} == {begun.campaign_id}
    assert {(one["source"], one["notify"]) for one in told} == {("backfill", False)}
    assert len({one["award_id"] for one in told}) == len(given) == len(told)
    (stands,) = await campaigns.show(connection, begun.campaign_id)
    assert (stands.state, stands.sent, stands.done, stands.awards, stands.standing) == ("done", 3, 3, 3, 3)

    # The same again: nothing is new, and what stands is not touched.
    again = await start(connection, "family", "genre-tourist", "normal")
    await lab.campaign(connection, known, log, again.campaign_id)
    assert await lab.awards_of(connection) == given
    assert len(await messages(connection)) == len(told)
    # Ages were not asked for: the line stays where it was for the trigger that asks.
    assert await lab.drift_of(connection, ["ann", "bob", "cid"]) == {}


async def test_notify_modes(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for one in collection("ann", 12):
        log.append(one)
    await lab.drain(connection, known, log)
    told: dict[Notify, list[dict[str, Any]]] = {}
    for mode in ("none", "digest", "normal"):
        await forget_awards(connection)
        begun = await start(connection, "all", notify=mode)  # type: ignore[arg-type]
        await lab.campaign(connection, known, log, begun.campaign_id)
        told[mode] = await messages(connection)  # type: ignore[index]
        stored = await connection.fetch("select badge_key, context from user_badges where notify")
        heard = {(one["badge"]["key"], one["context"]) for one in told[mode] if one["notify"]}  # type: ignore[index]
        assert {(row["badge_key"], row["context"]) for row in stored} == heard
    assert len(told["none"]) == len(told["digest"]) == len(told["normal"]) > 5
    assert not any(one["notify"] for one in told["none"])
    assert all(one["notify"] for one in told["normal"])
    (digest,) = [one for one in told["digest"] if one["notify"]]
    assert digest["highest_in_family"]
    scores = {one["badge"]["key"]: CATALOG.badges[one["badge"]["key"]].sort_score for one in told["digest"]}
    assert scores[digest["badge"]["key"]] == max(scores.values())


async def test_scopes(connection: Connection) -> None:
    log = Log()
    log.append(added("1", (1, {"id": 1})))
    await lab.drain(connection, lab.knowledge(), log)
    assert (await target(connection, CATALOG, "badge", "owner-i")).badge_keys == ("owner-i",)
    assert len((await target(connection, CATALOG, "family", "owner")).badge_keys) == 5
    assert (await target(connection, CATALOG, "trigger", "review.approved")).badge_keys[0] == "reviewer-i"
    assert len((await target(connection, CATALOG, "all", "")).badge_keys) == len(CATALOG.trigger("cron.sweep").badges)
    assert (await target(connection, CATALOG, "user", "ada")).value == "ada"
    for scope, value in (("badge", "owner"), ("family", "owner-i"), ("trigger", "x"), ("user", "eve"), ("user", "a b")):
        with pytest.raises(UnknownScope, match=value):
            await target(connection, CATALOG, scope, value)  # type: ignore[arg-type]
    with pytest.raises(NothingToEarn):
        await target(connection, CATALOG, "trigger", "user.joined")


async def test_a_sweep_of_an_unknown_campaign_only_recounts(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    log.append(added("1", (1, {"id": 1})))
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    log.append(event("cron.sweep", "s", {"campaign_id": "nobody-knows-it"}))
    (done,) = await lab.drain(connection, known, log)
    assert (done.processed, list(done.awards)) == (1, [])
    assert await connection.fetchval("select count(*) from campaign_progress") == 0
    log.append(event("cron.sweep", "s2", {}))
    await lab.drain(connection, known, log)
    assert ("ada", "owner-i", "") in await lab.awards_of(connection)


async def test_a_trial_writes_nothing_and_says_what_a_campaign_then_gives(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for one in [*collection("ann", 12), *collection("bob", 4)]:
        log.append(one)
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    wanted = await target(connection, CATALOG, "trigger", "ownership.added")
    found = await trial(connection, lab.knowledge("trial"), wanted, 50)
    assert (found.users, found.tried, found.winners) == (2, 2, 2)
    begun = await start(connection, "trigger", "ownership.added")
    await lab.campaign(connection, known, log, begun.campaign_id)
    assert found.awards.total() == len(await lab.awards_of(connection))


async def test_a_trial_sees_one_moment_of_a_user(connection: Connection, database: str) -> None:
    log = Log()
    for one in collection("ann", 12):
        log.append(one)
    await lab.drain(connection, lab.knowledge(), log)
    other = await lab.worker_connection(database)

    class Meanwhile(Knowledge):
        async def learn(self, connection: Connection, contents: Iterable[bytes]) -> None:
            await other.execute("delete from user_badges")
            await super().learn(connection, contents)

    wanted = await target(connection, CATALOG, "trigger", "ownership.added")
    found = await trial(connection, Meanwhile(CATALOG, erasure_key=b"", owner="trial"), wanted, 50)
    await other.close()
    assert await lab.awards_of(connection) == {}
    assert (found.tried, found.winners) == (1, 0), "what was held when the sets were read"
