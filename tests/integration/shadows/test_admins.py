"""Operators see what is in the shadow, and that it is there."""

import csv
import io

import pytest

from services.stores import outbox
from services.stores.postgres import Connection
from tests.integration.shadows.conftest import Serve
from tests.integration.shadows.lab_of_shadows import HIDDEN, SHADOWS, kept, worked_off

ADMIN = "/api/admin"
DRY = {"type": "ownership.added", "user": "ben"}
SWEEP = {"type": "cron.sweep", "user": "ada"}
LACKING = [{"instance_id": n, "release": {"id": n, "genres": [f"G{n}"], "master_id": 7, "have": 5}} for n in (4, 8)]


@pytest.fixture
async def past(connection: Connection) -> Connection:
    await worked_off(connection, HIDDEN)
    await outbox.count_holders(connection)
    return connection


async def test_the_catalog_and_holders(past: Connection, serve: Serve) -> None:
    async with serve(HIDDEN) as api:
        listed = (await api.ask("GET", f"{ADMIN}/catalog", params={"visibility": "shadow"})).json()["badges"]
        held = (await api.ask("GET", f"{ADMIN}/holders")).json()["badges"]
        history = await api.ask("GET", f"{ADMIN}/achievements/deep-cut/holders")
    assert {one["key"]: (one["shadow"], one["rarity"]["holders"]) for one in listed} == dict.fromkeys(
        SHADOWS, (True, 1)
    )
    assert {one["badge_key"]: one["holders"] for one in held if one["shadow"]} == dict.fromkeys(SHADOWS, 1)
    assert (history.status_code, history.json()["days"]) == (200, [])


async def test_the_feed_history_and_exports(past: Connection, serve: Serve) -> None:
    expected = {key for _, key, _ in await kept(past)}
    async with serve(HIDDEN) as api:
        since = {"since": "2026-01-01T00:00:00Z"}
        feed = (await api.ask("GET", f"{ADMIN}/awards", params=since)).json()
        only = (await api.ask("GET", f"{ADMIN}/awards", params=since | {"badge": "deep-cut"})).json()
        history = (await api.ask("GET", f"{ADMIN}/users/ada/history")).json()["history"]
        table = (await api.ask("GET", f"{ADMIN}/awards/export")).text
        listed = (await api.ask("GET", f"{ADMIN}/awards/export", params={"format": "json"})).json()
    assert {one["badge_key"] for one in feed["awards"] if one["shadow"]} == expected
    assert [(one["badge_key"], one["shadow"]) for one in only["awards"]] == [("deep-cut", True)]
    assert {one["badge_key"] for one in history if one["shadow"]} == expected
    assert {one["badge_key"] for one in csv.DictReader(io.StringIO(table)) if one["shadow"] == "true"} == expected
    assert {one["badge_key"] for one in listed if one["shadow"]} == expected
    assert len([one for one in listed if not one["shadow"]]) > len(expected)


async def test_dry_runs_and_simulations(past: Connection, serve: Serve) -> None:
    async with serve(HIDDEN) as api:
        would = (await api.ask("POST", f"{ADMIN}/dry-run", json=DRY | {"data": {"items": LACKING}})).json()
        held = (await api.ask("POST", f"{ADMIN}/dry-run", json=SWEEP)).json()
        played = (await api.ask("POST", f"{ADMIN}/simulate", json={"set": {"deep_cuts": 1, "releases": 1}})).json()
    passes = {one["id"]: (one["shadow"], one["held"]) for one in would["runs"][0]["passes"]}
    assert passes["deep-cut"] == passes["owner-ii"] == (True, False)
    assert {one["id"] for one in held["runs"][0]["passes"] if one["shadow"]} == {*SHADOWS}
    assert all(one["held"] for one in held["runs"][0]["passes"])
    assert {one["badge"]: one["shadow"] for one in played["timeline"]} == {"deep-cut": True, "owner-i": False}


async def test_why(past: Connection, serve: Serve) -> None:
    path = f"{ADMIN}/users/%s/achievements/deep-cut/why"
    async with serve(HIDDEN) as api:
        mine = (await api.ask("GET", path % "ada")).json()
        near = (await api.ask("GET", path % "ben")).json()
        shown = (await api.ask("GET", f"{ADMIN}/users/ada/achievements/owner-i/why")).json()
    assert (mine["shadow"], mine["earned"], mine["award"]["evidence"]["value"]) == (True, True, 1)
    assert (near["shadow"], near["earned"], near["met_today"]) == (True, False, False)
    assert "shadow" not in shown
    assert mine["award"]["caused_by"]["id"] == "ada-4"
