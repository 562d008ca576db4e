"""Why, what-if, dry run and simulation over HTTP, with the rights of the api's role."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts.envelope import rfc3339
from services.api.models.trials import DryRun, Simulation, WhatIf
from services.api.models.why import Why
from services.stores.postgres import Connection
from tests.integration.trial.conftest import Ask
from tests.integration.trial.past import line, processed, unwritten
from tests.model.events import added, event

LIST = "/api/user/achievements"
WHAT_IF = f"{LIST}/what-if"
DRY_RUN = "/api/admin/dry-run"
SIMULATE = "/api/admin/simulate"
WHY = "/api/admin/users/ada/achievements/owner-i/why"


@pytest.fixture
async def shelf(connection: Connection) -> Connection:
    """Ada owns ten releases of five genres."""
    await processed(connection, [added("page", *((n, {"id": n, "genres": [f"G{n % 5}"]}) for n in range(1, 11)))])
    return connection


async def test_why(shelf: Connection, ask: Ask, client: httpx.AsyncClient) -> None:
    async with unwritten(shelf):
        mine = await ask("GET", f"{LIST}/genre-tourist-silver/why", Why)
        assert mine["criterion"]["value"] == 5
        assert (await ask("GET", f"{LIST}/genre-tourist-silver/why", Why, who="ben"))["criterion"]["value"] == 0
        assert (await ask("GET", f"{LIST}/owner-ii/why", Why))["award"]["caused_by"]["id"] == "page"
        for key in ("nothing", "x y", "%00", "a" * 200):
            await ask("GET", f"{LIST}/{key}/why", Why, status=404)
        wrong = await ask("GET", f"{LIST}/owner-i/why", Why, status=422, params={"context": "label:1"})
        assert wrong["errors"] == [{"in": "query", "parameter": "context", "detail": "owner-i has no contexts"}]
        await ask("GET", f"{LIST}/master-collector-gold/why", Why, params={"context": "master:7"})
    assert (await client.get(f"{LIST}/owner-i/why")).status_code == 401


async def test_why_of_somebody_else_is_for_admins(shelf: Connection, ask: Ask) -> None:
    await ask("GET", WHY, Why, status=403)
    found = await ask("GET", WHY, Why, who="root", role="admin")
    assert found["award"]["caused_by"]["id"] == "page"
    nobody = await ask("GET", WHY.replace("ada", "nobody"), Why, status=404, who="root", role="admin")
    assert nobody["detail"] == "Nothing is known of user 'nobody'."
    unknown = await ask("GET", WHY.replace("owner-i", "no-badge"), Why, status=404, who="root", role="admin")
    assert unknown["detail"] == "There is no achievement 'no-badge'."


async def test_what_if(shelf: Connection, ask: Ask, client: httpx.AsyncClient) -> None:
    async with unwritten(shelf):
        found = await ask("POST", WHAT_IF, WhatIf, json={"remove": [1, 6, 99]})
        assert found["unknown"] == [99]
        assert {one["id"] for one in found["loses"]} == {"genre-tourist-bronze", "owner-ii"}
        full = {"add": [{"id": 100 + n, "genres": ["Jazz"]} for n in range(500)], "remove": list(range(1, 501))}
        found = await ask("POST", WHAT_IF, WhatIf, json=full)
        assert found["unknown"] == list(range(11, 501))
        assert {one["id"] for one in found["gains"]} == {"owner-iii", "owner-iv"}
        assert await ask("POST", WHAT_IF, WhatIf, json={}) == {"gains": [], "loses": [], "changes": [], "unknown": []}
    assert (await client.post(WHAT_IF, json={})).status_code == 401


@pytest.mark.parametrize(
    ("body", "parameter", "detail"),
    [
        (b"", "", "not JSON: ends too early"),
        (b"[]", "", "expected object, got array"),
        (b"{", "", "not JSON"),
        (b"\xff", "", "not UTF-8"),
        (b"[" * 40, "", "nesting beyond 32"),
        (b'{"add": [{}]}', "add[0].id", "missing"),
        (b'{"add": [{"id": "1"}]}', "add[0].id", "expected int, got str"),
        (b'{"add": [{"id": 1, "title": "\\u0000"}]}', "add[0].title", "NUL"),
        (b'{"add": [{"id": 1, "year": NaN}]}', "", "not JSON: NaN"),
        (b'{"remove": [0]}', "remove[0]", "expected int >= 1"),
        (b'{"remove": [9223372036854775808]}', "remove[0]", ""),
        (json.dumps({"remove": list(range(1, 502))}).encode(), "remove", "length <= 500"),
        (json.dumps({"add": [{"id": 1}] * 501}).encode(), "add", "length <= 500"),
    ],
)
async def test_a_change_that_cannot_be(shelf: Connection, ask: Ask, body: bytes, parameter: str, detail: str) -> None:
    problem = await ask("POST", WHAT_IF, WhatIf, status=422, content=body)
    (fault,) = problem["errors"]
    assert (fault["in"], fault["parameter"]) == ("body", parameter)
    assert detail in fault["detail"]


async def test_a_body_is_as_large_as_an_event_at_most(shelf: Connection, ask: Ask) -> None:
    large = {"add": [{"id": n, "title": "x" * 1900} for n in range(1, 501)]}
    assert 900_000 < len(json.dumps(large)) < 1_000_000
    assert await ask("POST", WHAT_IF, WhatIf, json=large)
    larger = {"add": [{"id": n, "title": "x" * 2100} for n in range(1, 501)]}
    await ask("POST", WHAT_IF, WhatIf, status=413, json=larger)


async def test_dry_run(shelf: Connection, ask: Ask) -> None:
    await shelf.execute("delete from user_badges where badge_key = 'genre-tourist-bronze'")
    async with unwritten(shelf):
        found = await ask("POST", DRY_RUN, DryRun, who="root", role="admin", json={"type": "cron.sweep", "user": "ada"})
        (run,) = found["runs"]
        assert [one["id"] for one in run["passes"] if not one["held"]] == ["genre-tourist-bronze"]
        assert found["summary"]["by_badge"] == {"genre-tourist-bronze": 1}
        many = await ask("POST", DRY_RUN, DryRun, who="root", role="admin", json={"type": "cron.sweep", "sample": 9})
        assert [one["user"] for one in many["runs"]] == ["ada"]
    ahead = rfc3339(datetime.now(UTC) + timedelta(minutes=1))
    for body, parameter in (
        ({"type": "cron.sweep", "user": "ada", "time": ahead}, "time"),
        ({"type": "cron.sweep", "user": "ada", "time": "yesterday"}, "time"),
        ({"type": "cron.sweep"}, "user"),
        ({"type": "cron.sweep", "user": "ada", "sample": 3}, "user"),
        ({"type": "cron.sweep", "user": "a d a"}, "user"),
        ({"type": "cron.sweep", "sample": 101}, "sample"),
        ({"type": "badge.awarded", "user": "ada"}, "type"),
        ({"type": "ownership.added", "user": "ada"}, "data"),
        ({"user": "ada"}, "type"),
    ):
        problem = await ask("POST", DRY_RUN, DryRun, status=422, who="root", role="admin", json=body)
        assert [fault["parameter"] for fault in problem["errors"]] == [parameter]
    await ask("POST", DRY_RUN, DryRun, status=404, who="root", role="admin", json={"type": "cron.sweep", "user": "ben"})
    await ask("POST", DRY_RUN, DryRun, status=403, json={"type": "cron.sweep", "user": "ada"})


async def test_simulate(shelf: Connection, ask: Ask) -> None:
    async def simulated(status: int = 200, **body: Any) -> dict[str, Any]:
        return await ask("POST", SIMULATE, Simulation, status=status, who="root", role="admin", json=body)

    async with unwritten(shelf):
        events = [json.loads(line(added("more", *((n, {"id": n}) for n in range(50, 150))))), {"type": 1}, 5, None]
        found = await simulated(user="ada", events=[*events, events[0]])
        assert [one["badge"] for one in found["timeline"]] == ["owner-iii"]
        assert ([one["line"] for one in found["bad"]], found["repeated"]) == ([2, 3, 4], [5])
        found = await simulated(events=events)
        assert [one["badge"] for one in found["timeline"]] == ["owner-i", "owner-ii", "owner-iii"]
        found = await simulated(user="ada", set={"genres": 10})
        assert [one["badge"] for one in found["timeline"]] == ["genre-tourist-silver"]
        found = await simulated(set={"years_since_join": 1}, on=f"{datetime.now(UTC).year + 2}-12-31")
        assert [one["badge"] for one in found["timeline"]] == [f"anniversary-{tier}" for tier in ("i", "ii", "iii")]
    assert (await simulated(404, user="nobody", set={}))["detail"] == "Nothing is known of user 'nobody'."
    await simulated(404, user="nobody", events=[])
    for body in ({"set": {"no": 1}}, {"set": {"genres": "1"}}, {"on": "2026-02-30"}, {"on": "9999-01-01"},
                 {"events": [], "set": {}}, {"events": [1] * 501}, {"user": ""}):  # fmt: skip
        await simulated(422, **body)
    huge = {"events": [{"type": "cron.sweep", "id": 10**30}]}
    assert [one["line"] for one in (await simulated(**huge))["bad"]] == [1]
    await ask("POST", SIMULATE, Simulation, status=403, json={})


async def test_a_deletion_is_simulated_too(shelf: Connection, ask: Ask) -> None:
    gone = json.loads(line(event("user.deleted", "gone", {}, user="ada")))
    again = json.loads(line(added("again", (1, {"id": 1}), time=datetime(2026, 5, 1, tzinfo=UTC))))
    body = {"user": "ada", "events": [gone, again]}
    found = await ask("POST", SIMULATE, Simulation, who="root", role="admin", json=body)
    assert [(one["event"]["line"], one["badge"]) for one in found["timeline"]] == [(2, "owner-i")]
