"""Campaigns as operators meet them: the commands and the endpoints, with the rights of the roles."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.settings import Settings
from services.stores import campaigns
from services.stores.postgres import Connection
from tests.integration.commands import Done, gatefold
from tests.integration.served import bearer, served
from tests.model import lab
from tests.model.events import added
from tests.model.lab import Log

ACTS = "select act from audit_log where details ->> 'campaign_id' = $1 order by audit_id"
ADMIN = "/api/admin/campaigns"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The service as an admin asks it."""
    async with served(settings, bearer(settings, "chief", "admin")) as found:
        yield found


async def owners(connection: Connection, log: Log) -> Any:
    """Three users who own something, and no awards."""
    known = lab.knowledge()
    for user in ("ann", "bob", "cid"):
        log.append(added(user, (1, {"id": 1, "genres": ["Jazz"]}), user=user))
    await lab.drain(connection, known, log)
    await connection.execute("delete from user_badges; delete from outbox")
    return known


async def test_over_http(connection: Connection, client: httpx.AsyncClient) -> None:
    log = Log()
    known = await owners(connection, log)
    asked = {"scope": "badge", "value": "owner-i", "reason": "it is new"}
    trial = await client.post(ADMIN, json={**asked, "dry_run": True})
    assert trial.json() == {
        "dry_run": True, "users": 3, "badges": 1, "tried": 3, "users_with_gains": 3, "awards": {"owner-i": 3},
    }  # fmt: skip
    assert (await client.get(ADMIN)).json() == {"campaigns": []}
    begun = await client.post(ADMIN, json=asked)
    assert begun.status_code == 201
    one = begun.json()
    assert (one["state"], one["started_by"], one["users"], one["badges"]) == ("running", "chief", 3, ["owner-i"])
    assert one["estimated_end"] is not None
    again = await client.post(ADMIN, json={**asked, "scope": "all", "value": ""})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert one["campaign_id"] in again.json()["detail"]
    path = f"{ADMIN}/{one['campaign_id']}"
    assert (await client.post(f"{path}/resume")).status_code == 409
    assert (await client.post(f"{path}/pause")).json()["state"] == "paused"
    assert (await client.post(f"{path}/resume")).json()["state"] == "running"
    await lab.campaign(connection, known, log, one["campaign_id"])
    done = (await client.get(path)).json()
    assert (done["state"], done["done"], done["awards"], done["standing"]) == ("done", 3, 3, 3)
    assert (await client.post(f"{path}/cancel")).status_code == 409
    unsure = await client.post(f"{path}/rollback", json={"reason": "oops"})
    assert unsure.status_code == 422
    assert "3 awards of 3 users" in unsure.json()["detail"]
    assert (await client.get(path)).json()["state"] == "done"
    sure = await client.post(f"{path}/rollback", json={"reason": "oops", "confirm": True})
    assert (sure.status_code, sure.json()["state"]) == (200, "rolling_back")
    while await campaigns.take_back(connection, one["campaign_id"], 2):
        pass
    assert (await client.get(path)).json()["standing"] == 0
    acts = [row["act"] for row in await connection.fetch(ACTS, one["campaign_id"])]
    assert acts == [f"campaign.{act}" for act in ("start", "pause", "resume", "rollback")]


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"scope": "badge", "value": "no-such"}, 404, "no-such"),
        ({"scope": "user", "value": "nobody"}, 404, "nobody"),
        ({"scope": "trigger", "value": "user.joined"}, 422, "user.joined"),
        ({"scope": "all", "value": "x"}, 422, "value"),
        ({"scope": "family"}, 422, "value"),
        ({"scope": "everything"}, 422, "scope"),
        ({"scope": "all", "rate": 0}, 422, "rate"),
        ({"scope": "all", "notify": "loud"}, 422, "notify"),
        ({"scope": "all", "reason": ""}, 422, "reason"),
        ({"scope": "all", "more": 1}, 422, "more"),
    ],
)
async def test_what_cannot_be_started(client: httpx.AsyncClient, body: dict[str, Any], status: int, word: str) -> None:
    answer = await client.post(ADMIN, json={"reason": "r", **body})
    assert answer.status_code == status
    assert word in answer.json()["detail"]


async def test_who_may_not(client: httpx.AsyncClient, settings: Settings) -> None:
    plain = bearer(settings, "ann")
    for method, path in (("GET", ADMIN), ("POST", ADMIN), ("POST", f"{ADMIN}/x/rollback")):
        assert (await client.request(method, path, headers=plain)).status_code == 403
    for act in ("pause", "resume", "cancel"):
        assert (await client.post(f"{ADMIN}/nope/{act}")).status_code == 404
    assert (await client.get(f"{ADMIN}/nope")).status_code == 404
    assert (await client.post(f"{ADMIN}/nope/rollback", json={"reason": "r"})).status_code == 404


async def test_on_the_command_line(connection: Connection, database: str) -> None:
    log = Log()
    known = await owners(connection, log)

    def run(*words: str, code: int = 0) -> Done:
        done = gatefold({"GATEFOLD_POSTGRES_URL": database}, "campaign", *words)
        assert done.code == code, done.err
        return done

    because = ("--reason", "it is new")
    assert json.loads(run("start", "--family", "owner", *because, "--dry-run", "--json").out)["awards"] == {
        "owner-i": 3
    }
    assert "3 would be given 3 awards" in run("start", "--family", "owner", *because, "--dry-run").out
    begun = json.loads(run("start", "--family", "owner", *because, "--by", "op", "--json").out)
    id_ = begun["campaign_id"]
    assert (begun["started_by"], begun["state"]) == ("op", "running")
    assert id_ in run("start", "--all", *because, code=1).err
    assert "name one of" in run("start", *because, code=2).err
    assert "no badge 'x'" in run("start", "--badge", "x", *because, code=1).err
    assert json.loads(run("pause", id_, "--json").out)["state"] == "paused"
    assert "paused" in run("pause", id_, code=1).err
    assert json.loads(run("resume", id_, "--json").out)["state"] == "running"
    await lab.campaign(connection, known, log, id_)
    assert "3 of 3 done" in run("show", id_).out
    assert [one["state"] for one in json.loads(run("list", "--json").out)] == ["done"]
    assert id_ in run("list").out
    why = ("--reason", "wrong")
    assert json.loads(run("rollback", id_, *why, "--dry-run", "--json").out) == {
        "dry_run": True,
        "awards": 3,
        "users": 3,
    }
    asked = run("rollback", id_, *why, code=1)
    assert "3 awards of 3 users will be revoked" in asked.err
    assert json.loads(run("rollback", id_, *why, "--yes", "--json").out)["state"] == "rolling_back"
    assert "rolling back" in run("cancel", id_, code=1).err
    assert "no campaign" in run("show", "nope", code=1).err
