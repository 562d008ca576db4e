"""`gatefold award`, `feed`, `history`, `holders`: the same acts and answers on the command line."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from catalog.index import load_catalog
from services.looking.export import COLUMNS
from tests.integration.awards import award
from tests.integration.commands import Done, gatefold

CATALOG = load_catalog()


@pytest.fixture
def run(database: str, db: asyncpg.Connection) -> Any:
    """A `gatefold` command on the module's database, emptied."""

    def ask(*arguments: str) -> Done:
        return gatefold({"GATEFOLD_POSTGRES_URL": database, "COLUMNS": "200"}, *arguments)

    return ask


def test_granted_revoked_granted_edited(run: Any) -> None:
    why = ("--reason", "because", "--by", "chief")
    outcomes = []
    for arguments in (
        ("grant", "ann", "deep-cut", *why, "--dry-run"),
        ("grant", "ann", "deep-cut", *why),
        ("grant", "ann", "deep-cut", *why),
        ("revoke", "ann", "deep-cut", *why),
        ("grant", "ann", "deep-cut", *why, "--no-notify"),
        ("edit", "ann", "deep-cut", *why, "--hide", "--sort", "-7"),
        ("edit", "ann", "deep-cut", *why, "--show", "--no-sort"),
        ("grant", "ann", "label-loyalist-gold", *why, "--context", "label:5"),
    ):
        done = run("award", *arguments, "--json")
        assert (done.code, done.err) == (0, "")
        body = json.loads(done.out)
        outcomes.append((body["outcome"], body["revision"], body["dry_run"], body["hidden"], body["sort_override"]))
    assert outcomes == [
        ("granted", 1, True, False, None),
        ("granted", 1, False, False, None),
        ("unchanged", 1, False, False, None),
        ("revoked", 1, False, False, None),
        ("reinstated", 2, False, False, None),
        ("changed", 2, False, True, -7),
        ("changed", 2, False, False, None),
        ("granted", 1, False, False, None),
    ]
    lines = [json.loads(line) for line in run("award", "log", "--json").out.splitlines()]
    assert [(one["act"], one["by"], one["reason"]) for one in lines[::-1]] == [
        (act, "chief", "because") for act in ("grant", "revoke", "reinstate", "edit", "edit", "grant")
    ]
    assert len(run("award", "log", "--badge", "deep-cut", "--limit", "3", "--json").out.splitlines()) == 3
    assert run("award", "log", "--user", "bob", "--json").out == ""
    shown = run("award", "log").out
    assert "reinstate" in shown
    assert "because" in shown
    past = json.loads(run("history", "ann", "--json", "--limit", "2").out)
    assert [one["what"] for one in past["history"]] == ["grant", "edit"]
    assert "deep-cut" in run("history", "ann").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("grant", "ann", "deep-cut"), 2, "Missing option '--reason'"),
        (("grant", "ann", "deep-cut", "--reason", " "), 2, "reason: 1 to 500 characters, not all of them blank"),
        (("grant", "a b", "deep-cut", "--reason", "r"), 2, "user_id: expected 1 to 64"),
        (("grant", "ann", "deep-cut", "--reason", "r", "--by", "x" * 65), 2, "by: 1 to 64 characters"),
        (("grant", "ann", "deep-cut", "--reason", "r", "--context", "label:5"), 2, "context: deep-cut has none"),
        (
            ("grant", "ann", "label-loyalist-gold", "--reason", "r"),
            2,
            "context: label-loyalist-gold is earned for a label",
        ),
        (("grant", "zoe", "deep-cut", "--reason", "r"), 1, "Nothing is known of user 'zoe'."),
        (("grant", "ann", "deep", "--reason", "r"), 1, "There is no badge 'deep'."),
        (("revoke", "ann", "deep-cut", "--reason", "r"), 1, "User 'ann' was never given deep-cut."),
        (("edit", "ann", "deep-cut", "--reason", "r"), 2, "say what to change"),
        (("edit", "ann", "deep-cut", "--reason", "r", "--sort", "1", "--no-sort"), 2, "one of --sort and --no-sort"),
        (("edit", "ann", "deep-cut", "--reason", "r", "--sort", str(2**31)), 2, "sort_override: an integer from"),
    ],
)
def test_what_cannot_be_done(run: Any, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run("award", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err


async def test_looking(run: Any, db: asyncpg.Connection) -> None:
    now = datetime.now(UTC)
    for at in range(620):
        trigger = "ownership.added" if at % 2 else "cron.sweep"
        await award(db, f"u{at}", "owner-i", at=now - timedelta(minutes=at), trigger=trigger)
    found = json.loads(run("feed", "--json", "--limit", "600").out)
    assert (len(found["awards"]), found["total"]) == (600, 620)
    assert len({one["award_id"] for one in found["awards"]}) == 600
    assert found["by_trigger"] == {"ownership.added": 310, "cron.sweep": 310}
    hour = json.loads(run("feed", "--hours", "1", "--trigger", "cron.sweep", "--badge", "owner-i", "--json").out)
    assert hour["by_badge"] == {"owner-i": 30}
    assert "by trigger: cron.sweep 310, ownership.added 310" in run("feed").out
    assert run("feed", "--trigger", "no").code == 2
    assert run("history", "zoe").code == 1
    head, *rows = csv.reader(io.StringIO(run("export", "awards", "--csv").out))
    assert tuple(head) == COLUMNS
    assert [row[0] for row in rows] == sorted(f"u{at}" for at in range(620))
    assert run("export", "awards", "--csv", "--user", "u1").code == 2


async def test_holders(run: Any, db: asyncpg.Connection) -> None:
    assert "not counted yet" in run("holders").out
    await db.execute("insert into badge_holders values ('', 9, now()), ('owner-i', 3, now()), ('owner-ii', 4, now())")
    odd = json.loads(run("holders", "--odd", "--json").out)
    assert [one["badge_key"] for one in odd["badges"]] == ["owner-ii"]
    assert "of 9 collectors" in run("holders", "--odd").out


def test_triggers_and_visibility(run: Any) -> None:
    found = json.loads(run("catalog", "triggers", "--json").out)["triggers"]
    assert {one["trigger"]: len(one["badges"]) for one in found} == {
        one["trigger"]: len(CATALOG.trigger(one["trigger"]).badges) for one in found
    }
    assert "none: earns nothing" in run("catalog", "triggers").out
    shown = json.loads(run("catalog", "list", "--visibility", "public", "--family", "owner", "--json").out)
    assert {(one["visibility"], one["family"]) for one in shown} == {("public", "owner")}
    assert run("catalog", "list", "--visibility", "dim").code == 2


async def test_an_account_without_the_right_is_told(database: str, db: asyncpg.Connection) -> None:
    from urllib.parse import urlsplit

    address = urlsplit(database)
    name = f"reads_{address.path[-8:]}"
    await db.execute(f"create role {name} login password 'p' in role gatefold_api")
    url = address._replace(netloc=f"{name}:p@{address.hostname}:{address.port}").geturl()
    done = gatefold({"GATEFOLD_POSTGRES_URL": url}, "award", "grant", "ann", "deep-cut", "--reason", "r")
    assert done.code == 1
    assert "may not do this" in done.err
