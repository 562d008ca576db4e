"""`/api/admin/cron` and a badge's holders day by day: as the command says it, with the rights of the api's role."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest_asyncio

from services.scheduler.main import Scheduler
from services.settings import Settings
from tests.integration.awards import award
from tests.integration.commands import gatefold
from tests.integration.scheduler.world import Clock, join, options, work_off
from tests.integration.served import bearer, served

CRON = "/api/admin/cron"
HOLDERS = "/api/admin/achievements/owner-i/holders"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with served(settings, bearer(settings, "root", "admin")) as found:
        yield found


async def test_jobs_are_listed_as_the_command_lists_them(
    db: asyncpg.Connection, client: httpx.AsyncClient, database: str
) -> None:
    assert {job["state"] for job in (await client.get(CRON)).json()["jobs"]} == {"never"}
    today = datetime.now(UTC).date()
    await work_off(Scheduler(options(database), Clock(today - timedelta(days=2))), db)
    answer = await client.get(CRON)
    assert answer.status_code == 200
    jobs = answer.json()["jobs"]
    assert [job["name"] for job in jobs] == ["anniversaries", "holders", "alarms", "prune", "sweep"]
    assert {(job["state"], job["on"], job["next_at"]) for job in jobs} == {
        ("done", f"{today - timedelta(days=2)}", f"{today}T00:00:00Z")
    }
    assert jobs == json.loads(gatefold({"GATEFOLD_POSTGRES_URL": database}, "cron", "list", "--json").out)


async def test_holders_day_by_day(db: asyncpg.Connection, client: httpx.AsyncClient, database: str) -> None:
    today = datetime.now(UTC).date()
    clock = Clock(today - timedelta(days=1))
    await join(db, [("ann", None), ("bob", None)], today)
    await join(db, [("cid", None), ("dan", None)], today - timedelta(days=200))
    await award(db, "ann", "owner-i")
    await award(db, "cid", "owner-i")
    scheduler = Scheduler(options(database), clock)
    await work_off(scheduler, db)
    await award(db, "dan", "owner-i")
    clock.pass_days(1)
    await work_off(scheduler, db)
    first, second = (
        {"counted_on": f"{today - timedelta(days=ago)}", "holders": held, "active_holders": 1, "share_all": held / 4,
         "share_active": 0.5}
        for ago, held in ((1, 3), (0, 3))
    )  # fmt: skip
    first |= {"holders": 2, "share_all": 0.5}
    assert (await client.get(HOLDERS)).json() == {"id": "owner-i", "days": [first, second]}
    assert (await client.get(HOLDERS, params={"days": 1})).json()["days"] == [second]
    assert [day["holders"] for day in (await client.get(HOLDERS.replace("-i/", "-ii/"))).json()["days"]] == [0, 0]


async def test_who_may_ask_and_for_what(client: httpx.AsyncClient, settings: Settings) -> None:
    user = bearer(settings, "ann")
    for path in (CRON, HOLDERS):
        assert (await client.get(path, headers=user)).status_code == 403
        assert (await client.get(path, headers={"Authorization": ""})).status_code == 401
    unknown = await client.get("/api/admin/achievements/no-such-badge/holders")
    assert (unknown.status_code, "no-such-badge" in unknown.json()["detail"]) == (404, True)
    for days in ("0", "401", "x"):
        assert (await client.get(HOLDERS, params={"days": days})).status_code == 422
