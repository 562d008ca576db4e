"""`gatefold why`, `what-if`, `dry-run` and `simulate` as processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.api.models.trials import DryRunOfUser, DryRunSummary, SimulatedAward, WhatIf
from services.api.models.why import Why
from services.stores.postgres import Connection
from tests.integration.commands import Done, gatefold
from tests.integration.trial.past import line, processed, unwritten
from tests.model.events import added, event

Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(database: str) -> Run:
    async def done(*arguments: str, stdin: bytes = b"") -> Done:
        surroundings = {"GATEFOLD_POSTGRES_URL": database, "COLUMNS": "120"}
        return await asyncio.to_thread(gatefold, surroundings, *arguments, stdin=stdin)

    return done


@pytest.fixture
async def shelf(connection: Connection) -> Connection:
    """Ada owns ten releases of five genres, four of them without a country."""
    owned = [(n, {"id": n, "genres": [f"G{n % 5}"], **({"country": "UK"} if n > 4 else {})}) for n in range(1, 11)]
    await processed(connection, [added("page", *owned), added("one", (1, {"id": 1}), user="ben")])
    return connection


async def test_why(shelf: Connection, run: Run) -> None:
    async with unwritten(shelf):
        done = await run("why", "ada", "world-collector-bronze")
        assert (done.code, done.err) == (0, "")
        lines = [one.strip() for one in done.out.splitlines()]
        assert lines[:3] == [
            "ada, World Collector Bronze",
            "Add records from 4 more countries",
            "✖ countries >= 5  1 of 5 countries",
        ]
        assert lines[-2:] == [
            "no subscribed event since 2026-03-01T12:00:00Z",
            "4 of 10 releases have no country",
        ]
        earned = await run("why", "ada", "owner-ii")
        assert "awarded 2026-03-01T12:00:00Z (auto) by ownership.added /tests page" in earned.out
        said = await run("why", "ada", "owner-ii", "--json")
        assert Why.model_validate(json.loads(said.out)).earned
    for arguments, code, words in (
        (("ada", "owner"), 2, "owner is a family; its tiers are owner-i, "),
        (("ada", "nothing"), 2, "no badge is called 'nothing'"),
        (("ada", "owner-i", "--context", "label:1"), 2, "--context: owner-i has no contexts"),
        (("nobody", "owner-i"), 1, "nothing is known of user 'nobody'"),
    ):
        done = await run("why", *arguments)
        assert (done.code, done.out) == (code, "")
        assert words in done.err


async def test_what_if(shelf: Connection, run: Run, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    releases.write_text('{"id": 20, "genres": ["Jazz"]}\n\n21\n')
    async with unwritten(shelf):
        done = await run("what-if", "ada", "--remove", "1", "--remove", "6", "--add", str(releases), "--json")
        assert (done.code, done.err) == (0, "")
        found = WhatIf.model_validate(json.loads(done.out))
        # Five genres before and after, ten releases too.
        assert (found.gains, found.loses) == ([], [])
        done = await run("what-if", "ada", "--remove", "1")
        assert "Owner II" in done.out
        assert "releases: 10 → 9" in done.out
        unknown = await run("what-if", "ada", "--remove", "77", "--add", '{"id": 5, "genres": ["New"]}')
        assert (unknown.code, unknown.err) == (1, "no copy 77\n")
        assert "genres: 5 → 6" in unknown.out
    for arguments, code, words in (
        (("ada",), 2, "nothing to try"),
        (("ada", "--add", "no such file"), 2, "--add: no such file: No such file"),
        (("ada", "--add", "{"), 2, "--add, line 1: not JSON"),
        (("ada", "--add", '{"id": 0}'), 2, "add[0].id: expected int >= 1"),
        (("nobody", "--remove", "1"), 1, "nothing is known of user 'nobody'"),
    ):
        done = await run("what-if", *arguments)
        assert (done.code, done.out) == (code, "")
        assert words in done.err


async def test_dry_run(shelf: Connection, run: Run) -> None:
    await shelf.execute("delete from user_badges where badge_key = 'genre-tourist-bronze'")
    async with unwritten(shelf):
        done = await run("dry-run", "cron.sweep", "--user", "ada", "--json")
        assert (done.code, done.err) == (0, "")
        one = DryRunOfUser.model_validate(json.loads(done.out))
        assert [passed.id for passed in one.passes if not passed.held] == ["genre-tourist-bronze"]
        for chosen in (("--all",), ("--sample", "5")):
            many = await run("dry-run", "cron.sweep", *chosen, "--json")
            *users, summary = [json.loads(text) for text in many.out.splitlines()]
            assert [user["user"] for user in users] == ["ada", "ben"]
            found = DryRunSummary.model_validate(summary["summary"])
            assert (found.users, found.by_badge) == (2, {"genre-tourist-bronze": 1})
        table = await run("dry-run", "cron.sweep", "--all")
        assert "2 users: 1 awards for 1 of them" in table.out
        anniversary = await run("dry-run", "cron.anniversary", "--user", "ada", "--data", '{"on": "2030-01-01"}')
        assert anniversary.out == "no badge passes with cron.anniversary\n"
    for arguments, code, words in (
        (("cron.sweep",), 2, "name one of --user, --sample and --all"),
        (("cron.sweep", "--user", "a", "--all"), 2, "name one of"),
        (("cron.sweep", "--user", "ada", "--time", "2999-01-01T00:00:00Z"), 2, "--time: 2999-01-01T00:00:00+00:00 is"),
        (("cron.sweep", "--user", "ada", "--time", "now"), 2, "--time: expected an RFC 3339 time"),
        (("ownership.added", "--user", "ada"), 2, "data.items: missing"),
        (("ownership.added", "--user", "ada", "--data", "{"), 2, "--data: not JSON"),
        (("ownership.added", "--user", "ada", "--data", "[]"), 2, "--data: expected a JSON object"),
        (("no.such", "--user", "ada"), 2, "is no topic that takes events"),
        (("cron.sweep", "--user", "nobody"), 1, "nothing is known of user 'nobody'"),
    ):
        done = await run("dry-run", *arguments)
        assert (done.code, done.out) == (code, "")
        assert words in done.err


async def test_simulate(shelf: Connection, run: Run) -> None:
    events = b"\n".join(
        (
            line(added("more", *((n, {"id": n}) for n in range(50, 150)))),
            b"{",
            line(event("user.joined", "j", {"joined_at": "2020-01-01"})),
        )
    )
    async with unwritten(shelf):
        first = await run("simulate", "-", "--json", stdin=events)
        again = await run("simulate", "-", "--json", stdin=events)
        assert first == again
        assert first.code == 1
        assert first.err.startswith("stdin:2: decode: not JSON")
        entries = [SimulatedAward.model_validate(json.loads(text)) for text in first.out.splitlines()]
        assert [one.badge for one in entries] == ["owner-i", "owner-ii", "owner-iii"]
        copied = await run("simulate", "-", "--user", "ben", stdin=events)
        assert "owner-ii " in copied.out
        assert "owner-i " not in copied.out
        numbers = await run("simulate", "--user", "ada", "--set", "genres=10", "--json")
        assert [json.loads(text)["badge"] for text in numbers.out.splitlines()] == ["genre-tourist-silver"]
        aged = await run("simulate", "--set", "years_since_join=1", "--on", "2020-02-29", "--json")
        assert [json.loads(text)["badge"] for text in aged.out.splitlines()] == ["anniversary-i"]
    for arguments, code, words in (
        (("-", "--set", "genres=1"), 2, "play a file, or set numbers and a date, not both"),
        (("no such file",), 2, "no such file: No such file"),
        (("--set", "genres"), 2, "--set: expected METRIC=N"),
        (("--set", "genre=1"), 2, "'genre' is no metric"),
        (("--on", "tomorrow"), 2, "--on: expected a date"),
        (("--user", "nobody"), 1, "nothing is known of user 'nobody'"),
    ):
        done = await run("simulate", *arguments)
        assert (done.code, done.out) == (code, "")
        assert words in done.err


async def test_a_server_that_is_away(run: Run) -> None:
    for arguments in (
        ("why", "a", "owner-i"),
        ("what-if", "a", "--remove", "1"),
        ("dry-run", "cron.sweep", "--all"),
        ("simulate", "--set", "genres=1"),
    ):
        done = await asyncio.to_thread(gatefold, {"GATEFOLD_POSTGRES_URL": "postgresql://127.0.0.1:1/x"}, *arguments)
        assert (done.code, done.err.count("\n")) == (69, 1), arguments
