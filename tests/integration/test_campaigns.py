"""Campaigns: who is given what, once, with which date; pause, cancel, rollback; and what a deletion leaves of them."""

import asyncio
import json
import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from catalog.definition import Tenure, Threshold
from catalog.index import load_catalog
from contracts.times import parse_time
from services.campaigns import acts
from services.campaigns.sample import trial
from services.campaigns.scope import NothingToEarn, UnknownScope, target
from services.relay.aside import MOST_WAITING
from services.relay.campaigns import MOST_AHEAD, Campaigner
from services.settings import Settings
from services.stores import campaigns
from services.stores.campaigns import Campaign, Notify, Scope
from services.stores.postgres import Connection
from tests.model import lab, pools
from tests.model.events import ALL, added, event, minutes
from tests.model.lab import Log
from tests.model.oracle import Event

CATALOG = load_catalog()
Awards = dict[tuple[str, str, str], dict[str, Any]]


async def start(
    connection: Connection, scope: Scope, value: str = "", notify: Notify = "none", rate: float = 100.0
) -> Campaign:
    return await acts.start(
        connection, CATALOG, scope=scope, value=value, notify=notify, rate=rate, by="op", reason="test"
    )


async def forget_awards(connection: Connection) -> Awards:
    """As if the badges were newer than all events; what there was."""
    found = await lab.awards_of(connection)
    await connection.execute("delete from user_badges; delete from outbox")
    return found


async def messages(connection: Connection, topic: str = "badge.awarded") -> list[dict[str, Any]]:
    rows = await connection.fetch("select value from outbox where topic = $1 order by id", topic)
    return [json.loads(row["value"]) for row in rows]


def collection(user: str, genres: int) -> list[Event]:
    """One release of each of so many genres, an event a minute."""
    return [
        added(
            f"{user}-{n}",
            (n, {"id": n, "title": f"T{n}", "genres": [f"G{n}"], "year": 1960 + n}),
            user=user,
            time=minutes(n),
        )
        for n in range(1, genres + 1)
    ]


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


def brute(events: list[dict[str, Any]], user: str, now: datetime) -> dict[str, datetime]:
    """The earliest moment at which a rule held, looking at every day and every event anew.

    Shape:   of the badges that have no context and count what the user's own events say; nothing is taken away.
    """
    mine = [one for one in events if one["subject"] == user]
    # The same day stated again is the newer statement.
    last = {date.fromisoformat(one["data"]["joined_at"]): one["time"] for one in mine if one["type"] == "user.joined"}
    days = {datetime(year, 1, 1, tzinfo=UTC) for year in range(1980, now.year + 1)}
    for one in mine:
        if one["type"] == "user.joined":
            joined = date.fromisoformat(one["data"]["joined_at"])
            for year in range(joined.year + 1, now.year + 1):
                day = (2, 28) if (joined.month, joined.day) == (2, 29) and year % 4 else (joined.month, joined.day)
                days.add(datetime(year, *day, tzinfo=UTC))
    met: dict[str, datetime] = {}
    for moment in sorted(days | {one["time"] for one in mine}):
        if moment > now:
            break
        past = [one for one in mine if one["time"] <= moment]
        owned = {
            item["release"]["id"]: item["release"]
            for one in past
            if one["type"] == "ownership.added"
            for item in one["data"]["items"]
        }
        years = [release["year"] for release in owned.values() if "year" in release]
        decades: dict[int, int] = defaultdict(int)
        for year in years:
            decades[year // 10] += 1
        joins = [joined for joined, said in last.items() if said <= moment]
        numbers = {
            "releases": len(owned),
            "genres": len({genre for release in owned.values() for genre in release.get("genres", ())}),
            "decades": len(decades),
            "largest_decade": max(decades.values(), default=0),
            "oldest_age_years": moment.year - min(years) if years else 0,
            "reviews": len({one["data"]["review_id"] for one in past if one["type"] == "review.approved"}),
            "wishlist": len(
                {id_ for one in past if one["type"] == "wishlist.added" for id_ in one["data"]["release_ids"]}
            ),
            "years_since_join": max((_full_years(joined, moment.date()) for joined in joins), default=0),
        }
        for badge in CATALOG.badges.values():
            match badge.criterion:
                case Threshold(metric=metric, at_least=number) if metric in numbers:
                    holds = numbers[metric] >= number
                case Tenure(years=number):
                    holds = numbers["years_since_join"] >= number
                case _:
                    continue
            if holds:
                met.setdefault(badge.key, moment)
    return met


def _full_years(joined: date, on: date) -> int:
    years = on.year - joined.year
    while years > 0:
        try:
            day = joined.replace(year=joined.year + years)
        except ValueError:
            day = date(joined.year + years, 2, 28)
        if day <= on:
            return years
        years -= 1
    return 0


@pytest.mark.parametrize("seed", range(4))
async def test_dates_are_those_of_a_past_that_is_looked_at_day_by_day(connection: Connection, seed: int) -> None:
    dice, known, log = random.Random(seed), lab.knowledge(), Log()
    events: list[dict[str, Any]] = []
    moment = datetime(1985 + seed, 5, 3, 12, tzinfo=UTC)
    for number in range(160):
        moment += timedelta(days=dice.randrange(0, 140), minutes=1)
        user = dice.choice(("ann", "bob"))
        match dice.choice(("own", "own", "own", "page", "review", "wish", "join")):
            case "own":
                releases = [number]
            case "page":
                releases = list(range(1000 + number * 20, 1000 + number * 20 + dice.randint(2, 9)))
            case "review":
                events.append(
                    event("review.approved", f"e{number}", {"review_id": str(number)}, user=user, time=moment)
                )
                continue
            case "wish":
                events.append(
                    event("wishlist.added", f"e{number}", {"release_ids": [number + 1]}, user=user, time=moment)
                )
                continue
            case _:
                day = date(dice.randint(1988, 2010), 2, dice.choice((3, 28)))
                day = date(2000, 2, 29) if dice.random() < 0.3 else day
                events.append(
                    event("user.joined", f"e{number}", {"joined_at": day.isoformat()}, user=user, time=moment)
                )
                continue
        owned = [
            (one + 1, {"id": one + 1, "genres": [f"G{dice.randrange(20)}"], "year": dice.randint(1930, 1985)})
            for one in releases
        ]
        events.append(added(f"e{number}", *owned, user=user, time=moment))
    shuffled = events[:]
    dice.shuffle(shuffled)  # however late it was read
    for one in shuffled:
        log.append(one)
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    begun = await start(connection, "all")
    await lab.campaign(connection, known, log, begun.campaign_id)
    given = await lab.awards_of(connection)
    for user in ("ann", "bob"):
        met = brute(events, user, begun.started_at)
        mine = {
            key: parse_time(award["awarded_at"])
            for (owner, key, context), award in given.items()
            if owner == user and not context and key in met
        }
        assert mine == met


async def test_everything_that_one_topic_earned_comes_back_as_it_was(connection: Connection) -> None:
    """Shares, masters, ages, decades: of a past without removals, backfilled awards are those of the events."""
    dice, known, log = random.Random(5), lab.knowledge(), Log()
    for number in range(120):
        owned = [
            (100 * number + n, pools.described(release, 0, ALL))
            for n, release in enumerate(dice.sample(range(1, 60), dice.choice((1, 1, 2, 6))))
        ]
        log.append(added(f"h{number}", *owned, time=minutes(60 * 24 * 3 * (number - 120))))
    await lab.drain(connection, known, log)
    auto = await forget_awards(connection)
    begun = await start(connection, "trigger", "ownership.added")
    await lab.campaign(connection, known, log, begun.campaign_id)
    given = await lab.awards_of(connection)
    later = {name for name in given.keys() - auto.keys() if name[1].startswith("vinyl-archaeologist")}
    assert given.keys() - later == auto.keys()
    # Several copies of a release have one date each, and the first counts; within an event items go by their number.
    for name, award in auto.items():
        assert given[name]["awarded_at"] <= award["awarded_at"]
        if not name[1].startswith("vinyl-archaeologist"):
            assert given[name] == award | {"source": "backfill"}
    assert {context.partition(":")[0] for _, _, context in given} >= {"", "master", "artist"}


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


async def test_two_campaigns_on_one_badge_are_refused(connection: Connection, database: str) -> None:
    log = Log()
    for user in ("ann", "bob"):
        log.append(added(user, (1, {"id": 1}), user=user))
    await lab.drain(connection, lab.knowledge(), log)
    first = await start(connection, "family", "owner")
    for scope, value in (("badge", "owner-iii"), ("all", ""), ("trigger", "ownership.added"), ("user", "ann")):
        with pytest.raises(acts.Overlap, match=first.campaign_id):
            await start(connection, scope, value)  # type: ignore[arg-type]
    await start(connection, "family", "reviewer")
    await acts.pause(connection, first.campaign_id, by="op")
    with pytest.raises(acts.Overlap):
        await start(connection, "badge", "owner-i")
    await acts.cancel(connection, first.campaign_id, by="op")
    await start(connection, "badge", "owner-i")
    await connection.execute("update campaign set state = 'cancelled'")
    # Two users share no award, whatever their badges.
    await start(connection, "user", "ann")
    await start(connection, "user", "bob")
    with pytest.raises(acts.Overlap):
        await start(connection, "user", "ann")
    # Both at once: one of them.
    await connection.execute("update campaign set state = 'cancelled'")
    other = await lab.worker_connection(database)
    results = await _together(start(connection, "all"), start(other, "badge", "owner-i"))
    await other.close()
    assert sorted(type(one).__name__ for one in results) == ["Campaign", "Overlap"]


async def _together(*work: Any) -> list[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


async def test_pause_resume_cancel(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for n in range(9):
        log.append(added(f"e{n}", (1, {"id": 1}), user=f"u{n}"))
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    begun = await start(connection, "badge", "owner-i")
    assert await campaigns.send(connection, begun.campaign_id, 3) == 3
    paused = await acts.pause(connection, begun.campaign_id, by="op")
    assert (paused.state, paused.sent, paused.done) == ("paused", 3, 0)
    assert await campaigns.send(connection, begun.campaign_id, 3) == 0
    await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert len(await lab.awards_of(connection)) == 3, "what was sent is done"
    with pytest.raises(acts.WrongState, match="paused"):
        await acts.pause(connection, begun.campaign_id, by="op")
    resumed = await acts.resume(connection, begun.campaign_id, by="op")
    assert (resumed.state, resumed.done_before) == ("running", 3)
    assert await campaigns.send(connection, begun.campaign_id, 3) == 3
    await acts.cancel(connection, begun.campaign_id, by="op")
    assert await campaigns.send(connection, begun.campaign_id, 3) == 0
    await connection.execute("update collector set releases = 7 where user_id = 'u4'")
    await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert len(await lab.awards_of(connection)) == 3, "a cancelled campaign gives nothing"
    assert (await lab.state_of(connection))["u4"]["releases"] == 1, "but recounts"
    for act in (acts.pause, acts.resume, acts.cancel):
        with pytest.raises(acts.WrongState, match="cancelled"):
            await act(connection, begun.campaign_id, by="op")
        with pytest.raises(acts.UnknownCampaign):
            await act(connection, "nope", by="op")
    noted = [
        (row["by"], row["act"])
        for row in await connection.fetch(
            "select by, act from audit_log where details ->> 'campaign_id' = $1 order by audit_id", begun.campaign_id
        )
    ]
    assert noted == [("op", f"campaign.{act}") for act in ("start", "pause", "resume", "cancel")]
    for statement in ("update audit_log set by = 'x'", "delete from audit_log"):
        with pytest.raises(asyncpg.RaiseError, match="append only"):
            await connection.execute(statement)


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


async def test_a_rollback_takes_back_exactly_what_the_campaign_gave(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for user in ("ann", "bob", "cid"):
        for one in collection(user, 6):
            log.append(one)
    await lab.drain(connection, known, log)
    await connection.execute("delete from user_badges where badge_key like 'genre-tourist%' and user_id <> 'bob'")
    await connection.execute("delete from outbox")
    before = await lab.awards_of(connection)
    assert ("bob", "genre-tourist-bronze", "") in before
    begun = await start(connection, "all")
    await lab.campaign(connection, known, log, begun.campaign_id)
    assert len(await lab.awards_of(connection)) == len(before) + 2
    # One of them was taken by hand and given again by hand: it is not the campaign's any more.
    await connection.execute(
        "update user_badges set revision = 2, source = 'manual' where user_id = 'cid' and campaign_id is not null"
    )
    await connection.execute("delete from outbox")
    assert await acts.at_stake(connection, begun.campaign_id) == (1, 1)
    rolled = await acts.rollback(connection, begun.campaign_id, by="op", reason="wrong rule")
    assert rolled.state == "rolling_back"
    with pytest.raises(acts.WrongState):
        await acts.rollback(connection, begun.campaign_id, by="op", reason="again")
    with pytest.raises(acts.Overlap):
        await start(connection, "badge", "genre-tourist-bronze")
    campaigner = Campaigner(Settings())
    await campaigner.step(connection)
    await campaigner.step(connection)
    (stands,) = await campaigns.show(connection, begun.campaign_id)
    assert (stands.state, stands.awards, stands.standing) == ("rolled_back", 2, 0)
    after = await lab.awards_of(connection)
    gone = {name for name, award in after.items() if award["revoked_at"]}
    assert gone == {("ann", "genre-tourist-bronze", "")}
    assert {name: award for name, award in after.items() if name in before} == before
    (told,) = await messages(connection, "badge.revoked")
    assert (told["user_id"], told["badge_key"], told["by"], told["reason"]) == (
        "ann", "genre-tourist-bronze", "op", "wrong rule",
    )  # fmt: skip
    assert await connection.fetchval("select event_id from outbox") == f"{told['award_id']}:1:revoked"
    # What was taken back is not given again, neither by an event nor by a campaign.
    again = await start(connection, "all")
    log.append(event("cron.sweep", "later", {}, user="ann", time=minutes(900)))
    await lab.drain(connection, known, log)
    await lab.campaign(connection, known, log, again.campaign_id)
    assert await lab.awards_of(connection) == after


async def test_a_deleted_user_is_done_and_leaves_no_name(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for user in ("ann", "bob", "cid"):
        log.append(added(user, (1, {"id": 1}), user=user))
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    begun = await start(connection, "badge", "owner-i")
    await campaigns.send(connection, begun.campaign_id, 2)  # to ann and bob, not published yet
    log.append(event("user.deleted", "d1", {}, user="ann", time=minutes(5)))
    await lab.drain(connection, known, log)
    assert await connection.fetchval("select count(*) from outbox where subject = 'ann'") == 0
    await campaigns.send(connection, begun.campaign_id, 2)
    log.append(event("user.deleted", "d2", {}, user="cid", time=minutes(5)), 1)
    await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    (stands,) = await campaigns.show(connection, begun.campaign_id)
    assert (stands.sent, stands.done) == (3, 3)
    await connection.execute("update campaign set state = 'cancelled'")
    alone = await start(connection, "user", "bob")
    log.append(event("user.deleted", "d3", {}, user="bob", time=minutes(5)), 1)
    await lab.drain(connection, known, log)
    (stands,) = await campaigns.show(connection, alone.campaign_id)
    assert stands.value == ""
    assert await campaigns.send(connection, alone.campaign_id, 5) == 0


async def test_the_relay_keeps_the_rate_and_waits_for_workers(connection: Connection) -> None:
    await connection.execute(
        "insert into collector (user_id) select 'u' || lpad(n::text, 6, '0') from generate_series(1, 5000) n"
    )
    begun = await start(connection, "all", rate=50)
    campaigner = Campaigner(Settings())
    assert await campaigner.step(connection) == pytest.approx(0.2, abs=0.01)
    count = "select count(*) from outbox"
    assert await connection.fetchval(count) == 25
    await campaigner.step(connection)
    assert await connection.fetchval(count) == 25, "not due yet"
    await connection.execute(
        "insert into outbox (topic, subject, event_id, time, value) select 'x', 'u', n::text, now(), ''"
        " from generate_series(1, $1::integer) n", MOST_WAITING,
    )  # fmt: skip
    await Campaigner(Settings()).step(connection)
    assert await connection.fetchval("select sent from campaign_cursor") == 25, "others wait for Kafka"
    await connection.execute("delete from outbox")
    await connection.execute("update campaign_cursor set sent = $1", MOST_AHEAD)
    await Campaigner(Settings()).step(connection)
    assert await connection.fetchval(count) == 0, "workers are behind"
    await connection.execute("insert into campaign_progress values ($1, 0, 2000, 0)", begun.campaign_id)
    await Campaigner(Settings()).step(connection)
    assert await connection.fetchval(count) == 25


async def test_a_page_and_the_cursor_move_together(connection: Connection, database: str) -> None:
    await connection.execute("insert into collector (user_id) select 'u' || n from generate_series(1, 9) n")
    begun = await start(connection, "all")
    other = await lab.worker_connection(database)
    transaction = other.transaction()
    await transaction.start()
    assert await campaigns.send(other, begun.campaign_id, 4) == 4
    assert await campaigns.send(connection, begun.campaign_id, 4) == 0, "the cursor is in other hands"
    other.terminate()
    sent = 0
    async with asyncio.timeout(10):
        while not sent:
            sent = await campaigns.send(connection, begun.campaign_id, 4)
    while page := await campaigns.send(connection, begun.campaign_id, 4):
        sent += page
    assert sent == 9
    users = [row["subject"] for row in await connection.fetch("select subject from outbox order by id")]
    assert users == [f"u{n}" for n in range(1, 10)]


async def test_a_trial_writes_nothing_and_says_what_a_campaign_then_gives(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    for one in [*collection("ann", 12), *collection("bob", 4)]:
        log.append(one)
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    wanted = await target(connection, CATALOG, "trigger", "ownership.added")
    async with connection.transaction(readonly=True):
        found = await trial(connection, lab.knowledge("trial"), wanted, 50)
    assert (found.users, found.tried, found.winners) == (2, 2, 2)
    begun = await start(connection, "trigger", "ownership.added")
    await lab.campaign(connection, known, log, begun.campaign_id)
    assert found.awards.total() == len(await lab.awards_of(connection))
