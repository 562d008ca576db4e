"""To collectors and to whoever reads what is published it is as if a badge in the shadow were not there."""

import json
from dataclasses import replace
from typing import Any

import pytest

from catalog.index import Catalog
from services.campaigns import acts as campaign_acts
from services.manual import acts
from services.manual.acts import Act
from services.relay.campaigns import Campaigner
from services.scheduler import jobs
from services.settings import Settings
from services.stores import campaigns, holders, outbox
from services.stores.cron import Run
from services.stores.postgres import Connection
from tests.integration.shadows.conftest import Serve, Served
from tests.integration.shadows.lab_of_shadows import (
    HIDDEN,
    PUBLIC,
    SHADOWS,
    kept,
    knowledge,
    past,
    release,
    told,
    worked_off,
)
from tests.model import lab
from tests.model.events import added, event, minutes

LIST = "/api/user/achievements"
ONE = f"{LIST}/{{achievement_id}}"
KEYS = (*SHADOWS, "owner-i", "owner-iii", "master-collector-silver", "genre-tourist-bronze", "no-badge")
EARNED = {
    ("ada", "owner-ii", ""),
    ("ada", "master-collector-bronze", "master:7"),
    ("ada", "genre-tourist-silver", ""),
    ("ada", "deep-cut", ""),
}
CHANGES = [
    {"remove": list(range(1, 13))},
    {"add": [{"id": n, "genres": [f"H{n}"], "master_id": 9, "have": 1} for n in range(501, 513)]},
]
STREAM, SHARES = "/api/user/stream", "/api/user/shares"
CONTEXTS = {"master-collector-bronze": "master:7"}
BODIES = {
    f"{LIST}/what-if": CHANGES,
    SHARES: [{}, *({"badge_key": key, "context": CONTEXTS.get(key, "")} for key in KEYS)],
}
BY_CHANCE = {"token", "url", "shared_at"}  # of a share


async def walk(api: Served) -> dict[str, Any]:
    """All that collectors are answered, wherever the api answers them."""
    # But for the stream, which has no end: it asks for what was given in one statement, of what is shown. And a share
    # is taken back by its token, whatever it is of.
    left_out = (STREAM, f"{SHARES}/{{token}}")
    paths = {(method, path) for method, path in api.paths if path.startswith("/api/user") and path not in left_out}
    assert {("GET", LIST), ("GET", ONE), ("GET", f"{ONE}/why"), ("GET", f"{ONE}/missing")} <= paths
    answers: dict[str, Any] = {}
    for method, path in sorted(paths):
        for key in KEYS if "{achievement_id}" in path else [""]:
            for who in ("ada", "ben"):
                for body in BODIES[path] if method == "POST" else [None]:
                    place = path.format(achievement_id=key)
                    answer = await api.ask(method, place, who, json=body)
                    assert answer.status_code in (200, 404), answer.text
                    said = {name: value for name, value in answer.json().items() if name not in BY_CHANCE}
                    answers[f"{who} {method} {place} {body}"] = (answer.status_code, said)
    return answers


async def published(connection: Connection) -> list[Any]:
    return [tuple(row) for row in await connection.fetch("select topic, event_id, time, value from outbox order by id")]


async def rarity(connection: Connection) -> list[Any]:
    """Holders as they are counted now and then, and day by day."""
    await outbox.count_holders(connection)
    found = [tuple(row) for row in await connection.fetch("select badge_key, holders from badge_holders order by 1")]
    page = await connection.fetch(holders.SQL["held"], "", "z", minutes(-1e6).date(), None)
    return [*found, *sorted(tuple(row) for row in page)]


async def seen(connection: Connection, serve: Serve, catalog: Catalog) -> list[Any]:
    counted = await rarity(connection)
    async with serve(catalog) as api:
        answers = await walk(api)
    return [answers, await published(connection), counted, await lab.awards_of(connection)]


async def test_as_if_it_were_not_there(connection: Connection, serve: Serve) -> None:
    """Catalog, worker and api without these badges, and all three with them in the shadow: nobody can tell."""
    await worked_off(connection, HIDDEN.shown)
    without = await seen(connection, serve, HIDDEN.shown)
    assert await kept(connection) == set()
    await worked_off(connection, HIDDEN)
    within = await seen(connection, serve, HIDDEN)
    assert [name for name in within[0] if within[0][name] != without[0][name]] == []
    assert within == without
    assert await kept(connection) == EARNED, "ben lacks one of everything"
    text = json.dumps([within[0][name] for name in within[0] if not any(key in name for key in SHADOWS)])
    assert not [key for key in SHADOWS if f'"{key}"' in text]

    # The definition came out of the shadow, and nobody has promoted it: what was kept is still nobody's.
    async with serve(PUBLIC) as api:
        listed = (await api.ask("GET", LIST, "ada")).json()["achievements"]
        detail = (await api.ask("GET", f"{LIST}/deep-cut", "ada")).json()
        why = (await api.ask("GET", f"{LIST}/deep-cut/why", "ada")).json()
        missing = (await api.ask("GET", f"{LIST}/deep-cut/missing", "ada")).json()
        rest = (await api.ask("POST", f"{LIST}/what-if", "ada", json=CHANGES[0])).json()
    assert not {one["id"] for one in listed} & {*SHADOWS}
    assert (detail["earned"], detail["awards"], detail["rarity"]["holders"]) == (False, [], 0)
    assert (why["earned"], why["award"], "shadow" in why, missing["needed"]) == (False, None, False, 0)
    assert {one["id"]: one["award_stands"] for one in rest["loses"]}.items() >= {("deep-cut", False), ("owner-i", True)}


async def test_a_badge_that_is_shown_is_told_as_ever(connection: Connection, serve: Serve) -> None:
    """The same past by the catalog without shadows tells of what was kept: the test above is not one of nothing."""
    await worked_off(connection, PUBLIC)
    assert {*await told(connection)} >= EARNED
    async with serve(PUBLIC) as api:
        assert {one["id"] for one in (await api.ask("GET", LIST, "ada")).json()["achievements"]} >= {*SHADOWS}
    assert await kept(connection) == set()


async def test_a_tier_in_the_shadow_outranks_none(connection: Connection) -> None:
    """One event passes owner-i and owner-ii; the one that is told is the highest."""
    page = added("page", *((n, release(n)) for n in range(1, 13)))
    await worked_off(connection, PUBLIC, [page])
    assert (await told(connection))["ada", "owner-i", ""]["highest_in_family"] is False
    await worked_off(connection, HIDDEN, [page])
    assert (await told(connection))["ada", "owner-i", ""]["highest_in_family"] is True


async def test_a_sweep_gives_it_once(connection: Connection) -> None:
    log = await worked_off(connection, HIDDEN)
    before = await published(connection), await kept(connection)
    log.append(event("cron.sweep", "s", {}, time=minutes(60)))
    await lab.drain(connection, knowledge(HIDDEN), log)
    assert (await published(connection), await kept(connection)) == before


async def test_the_daily_count_knows_nothing_of_it(
    connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither holders nor ranks, nor days without holders, on which a promotion would look like an alarm."""
    await worked_off(connection, HIDDEN)
    await connection.execute("truncate badge_holders_history, badge_ranking")
    monkeypatch.setattr(jobs, "load_catalog", lambda: HIDDEN)
    scheduler = await lab.worker_connection(f"{database}?role=gatefold_scheduler")
    now = minutes(2 * 24 * 60)
    run, cursor = Run("holders", now.date(), now.date(), now), ""
    while cursor is not None:
        cursor = (await jobs.CountHolders().page(scheduler, replace(run, cursor=cursor), now, dry_run=False)).cursor
    await scheduler.close()
    counted = {row["badge_key"] for row in await connection.fetch("select badge_key from badge_holders_history")}
    assert counted == {"", *HIDDEN.shown.badges}
    ranked = {row["badge_key"] for row in await connection.fetch("select badge_key from award where rank is not null")}
    assert "owner-i" in ranked
    assert ranked.isdisjoint(SHADOWS)


async def test_a_deletion_takes_it(connection: Connection) -> None:
    log = await worked_off(connection, HIDDEN)
    log.append(event("user.deleted", "gone", {}, time=minutes(60)))
    await lab.drain(connection, knowledge(HIDDEN), log)
    assert await kept(connection) == set()
    assert await connection.fetchval("select count(*) from award where user_id = 'ada'") == 0


@pytest.mark.parametrize("notify", ["normal", "digest", "none"])
async def test_a_campaign_gives_it_and_takes_it_back_in_the_shadow(
    connection: Connection, database: str, notify: campaigns.Notify
) -> None:
    """A digest is of a badge that the user is told of, though one in the shadow ranks before it."""
    log = await worked_off(connection, HIDDEN, [one for one in past() if one["subject"] == "ada"])
    await connection.execute("delete from award; delete from outbox")
    begun = await campaign_acts.start(
        connection, HIDDEN, scope="user", value="ada", notify=notify, by="op", reason="test"
    )
    await lab.campaign(connection, knowledge(HIDDEN), log, begun.campaign_id)
    assert await kept(connection) == EARNED
    messages = await told(connection)
    assert messages.keys().isdisjoint(EARNED)
    assert sum(one["notify"] for one in messages.values()) >= (notify == "digest")
    assert all(one["notify"] is (notify == "normal") for one in messages.values()) or notify == "digest"
    (stands,) = await campaigns.show(connection, begun.campaign_id)
    assert stands.standing == stands.awards == len(messages) + len(EARNED)

    await campaign_acts.rollback(connection, begun.campaign_id, by="op", reason="test")
    campaigner = Campaigner(Settings(postgres_url=database))
    relay = await lab.worker_connection(f"{database}?role=gatefold_relay")
    while (await campaigns.show(connection, begun.campaign_id))[0].state != "rolled_back":
        await campaigner.step(relay)
    await relay.close()
    assert {*await told(connection, "badge.revoked")} == messages.keys()
    assert await connection.fetchval("select count(*) from award where revoked_at is null") == 0


async def test_by_hand_it_is_kept_and_told_to_nobody(connection: Connection) -> None:
    await worked_off(connection, HIDDEN)
    before = await published(connection)
    await connection.execute("set role gatefold_admin")
    mine = Act("ben", "deep-cut", "", "he asked", "chief", minutes(90))
    given = await acts.grant(connection, HIDDEN, mine)
    again = await acts.grant(connection, HIDDEN, mine)
    gone = await acts.revoke(connection, HIDDEN, mine)
    back = await acts.grant(connection, HIDDEN, mine)
    earned = await acts.revoke(connection, HIDDEN, Act("ada", "deep-cut", "", "no", "chief", minutes(90)))
    await connection.execute("reset role")
    done = (given, again, gone, back, earned)
    assert [one.outcome for one in done] == ["granted", "unchanged", "revoked", "reinstated", "revoked"]
    assert all(one.shown()["shadow"] for one in done)
    assert await published(connection) == before
    assert await kept(connection) == EARNED | {("ben", "deep-cut", "")}
    # What is shown is told as ever, and a tier in the shadow does not outrank it.
    first = await acts.grant(connection, HIDDEN, Act("ada", "owner-i", "", "no", "chief", minutes(91)))
    assert first.outcome == "unchanged"
    await acts.revoke(connection, HIDDEN, Act("ada", "owner-i", "", "no", "chief", minutes(92)))
    await acts.grant(connection, HIDDEN, Act("ada", "owner-i", "", "no", "chief", minutes(93)))
    rows = await connection.fetch("select value from outbox where topic = 'badge.awarded' order by id desc limit 1")
    assert json.loads(rows[0]["value"])["highest_in_family"] is True
