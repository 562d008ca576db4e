"""A badge leaves the shadow: each award shown and told once, with its date, whatever comes between."""

import asyncio
import json
import os
import signal
import subprocess
from typing import Any

import pytest

from catalog.index import Catalog
from contracts.times import rfc3339
from services.manual import acts
from services.manual.acts import Act
from services.shadows import promotion
from services.shadows.promotion import StillShadow, promote
from services.stores import shadows
from services.stores.postgres import Connection
from services.stores.shadows import Kept
from tests.integration.commands import command, gatefold
from tests.integration.shadows.conftest import Serve
from tests.integration.shadows.lab_of_shadows import HIDDEN, PUBLIC, SHADOWS, kept, knowledge, told, worked_off
from tests.model import lab
from tests.model.events import event, minutes

DEEP = PUBLIC.badges["deep-cut"]
MANY = 1200
FILL = """
    with n as (select 'u' || lpad(i::text, 5, '0') as user_id, i from generate_series(1, $1::integer) as i),
    known as (insert into collector (user_id) select user_id from n)
    insert into award (user_id, badge_key, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence, shadow)
    select user_id, 'deep-cut', md5(user_id)::uuid, timestamptz '2026-01-01' + i * interval '1 minute', 'auto',
           'ownership.added', '{"source": "/s", "id": "1"}', md5('b' || i)::uuid, '{"value": 1}', true
    from n
"""


async def promoted(
    connection: Connection, key: str, catalog: Catalog = PUBLIC, *, notify: bool = False, by: str = "op"
) -> list[Kept]:
    return [page async for page in promote(connection, catalog, catalog.badges[key], notify=notify, by=by)]


async def audited(connection: Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch("select by, details from audit_log where act = 'catalog.promote' order by audit_id")
    return [{"by": row["by"]} | json.loads(row["details"]) for row in rows]


async def somebody_waits(connection: Connection) -> None:
    """Return when a statement on this database waits for a lock."""
    for _ in range(2000):
        if await connection.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        ):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def filled(connection: Connection, number: int = MANY) -> None:
    await connection.execute(FILL, number)


async def test_told_and_shown_as_if_it_had_never_been_in_the_shadow(connection: Connection, serve: Serve) -> None:
    await worked_off(connection, PUBLIC)
    messages, awards = await told(connection), await lab.awards_of(connection)
    await worked_off(connection, HIDDEN)
    hidden, noted = await told(connection), len(await audited(connection))
    assert hidden.keys() == messages.keys() - await kept(connection)
    shown = await connection.fetchval("select max(given_no) from user_badges")
    with pytest.raises(StillShadow):
        await promoted(connection, "owner-ii", HIDDEN)
    assert await told(connection) == hidden
    for key in SHADOWS:
        assert await promoted(connection, key) == [Kept(1, 0)]
        assert await promoted(connection, key) == [], "twice is once"
    # For who looks at a page they are given now.
    given = await connection.fetch("select given_no from user_badges where badge_key = any($1::text[])", list(SHADOWS))
    assert min(row["given_no"] for row in given) > shown
    assert await told(connection) == {name: one | {"notify": name in hidden} for name, one in messages.items()}
    assert await lab.awards_of(connection) == awards, "dates and evidence are those of the day"
    assert (await audited(connection))[noted:] == [
        {"by": "op", "badge_key": key, "awards": 1, "revoked": 0, "notify": False} for key in SHADOWS
    ]
    async with serve(PUBLIC) as api:
        listed = (await api.ask("GET", "/api/user/achievements", "ada")).json()["achievements"]
        assert {one["id"] for one in listed} == {key for user, key, _ in awards if user == "ada"}


async def test_a_worker_goes_on_where_the_badge_is_shown(connection: Connection) -> None:
    """What was kept is not earned again, what is new is told at once, before and after the promotion."""
    log = await worked_off(connection, HIDDEN)
    log.append(event("cron.sweep", "s", {}, time=minutes(60)))
    log.append({**event("ownership.added", "x", {}, user="eve", time=minutes(70)), "data": {"items": []}})
    await lab.drain(connection, knowledge(PUBLIC), log)
    before = await told(connection)
    assert ("ada", "deep-cut", "") not in before
    await promoted(connection, "deep-cut")
    log.append(event("cron.sweep", "t", {}, time=minutes(80)))
    await lab.drain(connection, knowledge(PUBLIC), log)
    assert (await told(connection)).keys() - before.keys() == {("ada", "deep-cut", "")}


async def test_two_at_once_share_the_work(
    connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotion, "PAGE", 70)
    await filled(connection)
    other = await lab.worker_connection(f"{database}?role=gatefold_admin")
    pages = await asyncio.gather(promoted(connection, "deep-cut"), promoted(other, "deep-cut", by="other"))
    await other.close()
    assert sum(page.awards for some in pages for page in some) == MANY
    messages = await told(connection)
    assert len(messages) == MANY
    assert messages["u00007", "deep-cut", ""]["awarded_at"] == "2026-01-01T00:07:00Z"
    assert all(one["awarded_at"] == rfc3339(one["time"]) for one in messages.values())


async def test_killed_in_the_middle_it_goes_on(connection: Connection, database: str) -> None:
    """It waits for a user of its second page, and is killed there."""
    await filled(connection)
    environment = {"GATEFOLD_POSTGRES_URL": database}
    blocker = await lab.worker_connection(database)
    block = blocker.transaction()
    await block.start()
    await blocker.fetch("select from collector where user_id = $1 for update", f"u{promotion.PAGE + 10:05}")
    process = subprocess.Popen(
        command("catalog", "promote", "deep-cut", "--yes", "--json"),
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    await somebody_waits(connection)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert len(await told(connection)) == promotion.PAGE
    assert await shadows.count(connection, "deep-cut") == Kept(MANY - promotion.PAGE, 0)
    await block.rollback()
    await blocker.close()
    again = gatefold(environment, "catalog", "promote", "deep-cut", "--yes", "--json")
    assert json.loads(again.out)["awards"] == MANY - promotion.PAGE
    assert len(await told(connection)) == MANY
    assert await kept(connection) == set()
    assert sum(page["awards"] for page in (await audited(connection))[-3:]) == MANY


@pytest.mark.parametrize("deed", ["revoke", "delete"])
async def test_what_an_operator_takes_meanwhile_is_told_to_nobody(
    connection: Connection, database: str, deed: str
) -> None:
    """The other act has locked the user, the promotion waits for it: revoked, or gone, the award is not told of."""
    log = await worked_off(connection, HIDDEN)
    gone = log.append(event("user.deleted", "gone", {}, time=minutes(60)))
    other = await lab.worker_connection(database)
    async with other.transaction():
        await other.fetch("select from collector where user_id = 'ada' for update")
        task = asyncio.create_task(promoted(connection, "deep-cut"))
        await somebody_waits(other)
        if deed == "revoke":
            await acts.revoke(other, PUBLIC, Act("ada", "deep-cut", "", "no", "chief", minutes(90)))
        else:
            await lab.apply(other, knowledge(PUBLIC), ("user.deleted", 0), [gone])
    pages = await task
    await other.close()
    assert sum(page.awards for page in pages) == 0
    assert ("ada", "deep-cut", "") not in await told(connection)
    assert await told(connection, "badge.revoked") == {}
    assert ("ada", "deep-cut", "") not in await kept(connection)
    # By hand it can stand again, and is told of with the revision that it has.
    if deed == "revoke":
        await acts.grant(connection, PUBLIC, Act("ada", "deep-cut", "", "yes", "chief", minutes(95)))
        assert (await told(connection))["ada", "deep-cut", ""]["revision"] == 2


async def test_what_is_revoked_afterwards_is_told_of(connection: Connection) -> None:
    await worked_off(connection, HIDDEN)
    await promoted(connection, "deep-cut", notify=True)
    await acts.revoke(connection, PUBLIC, Act("ada", "deep-cut", "", "no", "chief", minutes(90)))
    assert (await told(connection))["ada", "deep-cut", ""]["notify"] is True
    assert {*await told(connection, "badge.revoked")} == {("ada", "deep-cut", "")}


async def test_an_award_that_is_hidden_notifies_nobody(connection: Connection) -> None:
    await worked_off(connection, HIDDEN)
    await acts.edit(connection, HIDDEN, Act("ada", "deep-cut", "", "no", "chief", minutes(90)), {"hidden": True})
    await promoted(connection, "deep-cut", notify=True)
    assert (await told(connection))["ada", "deep-cut", ""]["notify"] is False


async def test_on_the_command_line(connection: Connection, database: str) -> None:
    await worked_off(connection, HIDDEN)
    environment = {"GATEFOLD_POSTGRES_URL": database}
    counted = {"badge_key": "deep-cut", "awards": 1, "revoked": 0, "notify": False}
    before = await told(connection)
    dry = gatefold(environment, "catalog", "promote", "deep-cut", "--dry-run", "--json")
    assert json.loads(dry.out) == counted | {"dry_run": True}
    asked = gatefold(environment, "catalog", "promote", "deep-cut")
    assert (asked.code, asked.out) == (1, "")
    assert "1 awards will be shown" in asked.err
    assert gatefold(environment, "catalog", "promote", "no-badge", "--yes").code == 2
    assert await told(connection) == before
    done = gatefold(environment, "catalog", "promote", "deep-cut", "--yes", "--notify", "--json", "--by", "chief")
    assert json.loads(done.out) == counted | {"dry_run": False, "notify": True}
    assert (await told(connection))["ada", "deep-cut", ""]["notify"] is True
    assert (await audited(connection))[-1]["by"] == "chief"
    nothing = gatefold(environment, "catalog", "promote", "deep-cut")
    assert (nothing.code, nothing.out[:8]) == (0, "0 awards")


async def test_over_http(connection: Connection, serve: Serve) -> None:
    await worked_off(connection, HIDDEN)
    path, before = "/api/admin/catalog/deep-cut/promote", await told(connection)
    async with serve(HIDDEN) as api:
        assert (await api.ask("POST", path, json={"confirm": True})).status_code == 409
        dry = (await api.ask("POST", path, json={"dry_run": True})).json()
    async with serve(PUBLIC) as api:
        assert (await api.ask("POST", path, "ada", json={"confirm": True})).status_code == 403
        unconfirmed = await api.ask("POST", path, json={})
        assert (unconfirmed.status_code, unconfirmed.json()["errors"][0]["parameter"]) == (422, "confirm")
        assert (await api.ask("POST", path.replace("deep", "no"), json={"confirm": True})).status_code == 404
        assert await told(connection) == before
        done = (await api.ask("POST", path, json={"confirm": True})).json()
        again = (await api.ask("POST", path, json={"confirm": True})).json()
    answer = {"badge_key": "deep-cut", "awards": 1, "revoked": 0, "left": 0, "notify": False}
    assert dry == answer | {"dry_run": True, "left": 1}
    assert done == answer | {"dry_run": False}
    assert again == answer | {"dry_run": False, "awards": 0}
    assert (await told(connection)).keys() - before.keys() == {("ada", "deep-cut", "")}
    assert (await audited(connection))[-1]["by"] == "root"
