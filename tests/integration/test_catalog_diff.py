"""Two catalogs compared on real users: who gains, who would not earn it any more, what would be told."""

import json
import subprocess
from pathlib import Path

import pytest

from catalog.definition import BadgeDefinition, Threshold
from catalog.index import every_badge
from catalog.ladders import threshold_ladder
from services.difference.compare import Comparison, as_markdown, compare
from services.difference.saved import NoCatalog, document, parse, read
from services.stores.postgres import Connection
from tests.integration.commands import gatefold
from tests.model import lab
from tests.model.events import added, minutes
from tests.model.lab import Log

ROOT = Path(__file__).resolve().parents[2]


def changed(**targets: int) -> list[BadgeDefinition]:
    """The catalog with other targets of some badges (keys with underscores)."""
    wanted = {key.replace("_", "-"): at_least for key, at_least in targets.items()}
    return [
        badge.model_copy(update={"criterion": badge.criterion.model_copy(update={"at_least": wanted[badge.key]})})
        if badge.key in wanted and isinstance(badge.criterion, Threshold)
        else badge
        for badge in every_badge()
    ]


async def crowd(connection: Connection) -> None:
    """u1 … u9 own as many releases, each of a genre of its own."""
    known, log = lab.knowledge(), Log()
    for n in range(1, 10):
        releases = [(m, {"id": m, "genres": [f"G{m}"]}) for m in range(1, n + 1)]
        log.append(added(f"e{n}", *releases, user=f"u{n}", time=minutes(n)))
    await lab.drain(connection, known, log)


async def judged(connection: Connection, old: list[BadgeDefinition], new: list[BadgeDefinition]) -> Comparison:
    comparison = Comparison(old, new)
    async for _ in compare(connection, lab.knowledge("diff"), comparison, minutes(100), None):
        pass
    return comparison


async def test_of_a_badge_in_the_shadow_nobody_is_told(connection: Connection) -> None:
    """The same five users would gain it; no message, and nobody's highest tier moves."""
    await crowd(connection)
    old = [badge for badge in every_badge() if badge.family != "genre-tourist"]
    for shadow, messages in ((False, 5), (True, 0)):
        ladder = threshold_ladder(
            "genre-trial",
            "Genre Trial",
            metric="genres",
            targets=(5,),
            category="breadth",
            triggers=("ownership.added",),
            description="Own releases from {n} genres",
            shadow=shadow,
        )
        found = (await judged(connection, old, [*old, *ladder])).found
        trial = found.changes["genre-trial-bronze"]
        assert (trial.what, trial.gains, trial.messages) == ("added", 5, messages)
        assert found.tiers == ({} if shadow else {("genre-trial", "–", "bronze"): 5})


async def test_gains_losses_tiers_and_messages(connection: Connection) -> None:
    await crowd(connection)
    before = await lab.awards_of(connection)
    # Bronze was harder in the old rules, silver easier: of nine users 3 gain bronze, 2 lose silver.
    old, new = changed(genre_tourist_bronze=8, genre_tourist_silver=8), changed(genre_tourist_silver=10)
    found = (await judged(connection, old, new)).found
    assert (found.users, found.touched, found.moved) == (9, 5, 5)
    bronze, silver = found.changes["genre-tourist-bronze"], found.changes["genre-tourist-silver"]
    assert (bronze.what, bronze.before, bronze.after) == ("changed", "genres >= 8", "genres >= 5")
    assert (bronze.gains, bronze.losses, bronze.messages, bronze.examples) == (3, 0, 0, ["u5", "u6", "u7"])
    assert (silver.gains, silver.losses, silver.examples) == (0, 2, ["u8", "u9"])
    assert found.tiers == {("genre-tourist", "–", "bronze"): 3, ("genre-tourist", "silver", "bronze"): 2}
    # Who was never given it would be told.
    await connection.execute("delete from user_badges where user_id = 'u6'")
    found = (await judged(connection, old, new)).found
    assert found.changes["genre-tourist-bronze"].messages == 1
    assert {name: one for name, one in before.items() if name[0] != "u6"} == await lab.awards_of(connection)


async def test_added_removed_and_not_measured(connection: Connection) -> None:
    await crowd(connection)
    more = threshold_ladder(
        "crate", "Crate", category="community", metric="releases", targets=(4,), triggers=("ownership.added",),
        description="Own {n}",
    )  # fmt: skip
    odd = more[0].model_copy(
        update={"key": "odd", "family": "odd", "criterion": Threshold(metric="no_such", at_least=1)}
    )
    every = list(every_badge())
    found = (await judged(connection, [*every, odd], [*every, *more])).found
    assert {one.key: (one.what, one.gains, one.losses) for one in found.changes.values()} == {
        "crate-bronze": ("added", 6, 0),
        "odd": ("removed", 0, 0),
    }
    assert found.unknown == ["odd"]
    shown = as_markdown(found, "main")
    assert "| `crate-bronze` | added | `releases >= 4` | 6 | 0 | 6 | u4, u5, u6 |" in shown
    same = await judged(connection, every, every)
    assert (same.found.changes, same.found.moved) == ({}, 0)


async def test_a_state_that_contradicts_itself_is_named_and_stops_nothing(
    connection: Connection, database: str, tmp_path: Path
) -> None:
    await crowd(connection)
    unreadable = '{"genres": ["no time", "1", "s"]}'
    await connection.execute("update owned_release set stamps = $1 where user_id = 'u5'", unreadable)
    await connection.execute(
        "insert into activity (user_id, kind, object_id, present, changed_at, by_id, by_source)"
        " values ('u7', 'join', 'no day', true, now(), 'x', '/tests')"
    )
    found = (await judged(connection, changed(genre_tourist_bronze=8), list(every_badge()))).found
    assert (found.users, sorted(found.failed)) == (7, ["u5", "u7"])
    assert found.failed["u5"].startswith("ValueError: ")
    assert found.changes["genre-tourist-bronze"].examples == ["u6"]
    assert "2 users, as u5, u7." in as_markdown(found, "main")
    other = tmp_path / "other.json"
    other.write_text(document(changed(genre_tourist_bronze=8)))
    done = gatefold({"GATEFOLD_POSTGRES_URL": database}, "catalog", "diff", str(other), "--allow", "9", "--json")
    assert done.code == 1, "no number of changes that is meant covers it"
    assert [one["user"] for one in json.loads(done.out)["failed"]] == ["u5", "u7"]
    assert "u5: ValueError: " in done.err


def test_documents(tmp_path: Path) -> None:
    assert parse(document(every_badge()), "saved") == every_badge()
    for text in ("", "[]", '{"badges": 1}', '{"badges": [{}]}', "{}"):
        with pytest.raises(NoCatalog, match="saved"):
            parse(text, "saved")
    with pytest.raises(NoCatalog, match="neither a file nor a git reference"):
        read("no-such-reference-anywhere")
    with pytest.raises(NoCatalog):
        read("--output=x")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe{}")
    with pytest.raises(NoCatalog, match=r"binary: not a saved catalog"):
        read(str(binary))


def git(*arguments: str, folder: Path) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def test_a_git_reference_is_asked_with_its_own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q", folder=tmp_path)
    for folder in ("catalog", "contracts"):
        subprocess.run(["cp", "-r", str(ROOT / folder), str(tmp_path)], check=True)
    breadth = tmp_path / "catalog" / "breadth.py"
    breadth.write_text(breadth.read_text().replace("targets=(5, 10, 20, 30)", "targets=(4, 10, 20, 30)", 1))
    git("add", ".", folder=tmp_path)
    git("commit", "-qm", "before", folder=tmp_path)
    breadth.write_text("nothing that imports")
    monkeypatch.chdir(tmp_path)
    found = Comparison(read("HEAD"), every_badge()).found
    assert [(one.key, one.before, one.after) for one in found.changes.values()] == [
        ("genre-tourist-bronze", "genres >= 4", "genres >= 5")
    ]
    git("commit", "-qam", "broken", folder=tmp_path)
    with pytest.raises(NoCatalog, match="does not load"):
        read("HEAD")


async def test_on_the_command_line(connection: Connection, database: str, tmp_path: Path) -> None:
    await crowd(connection)
    environment = {"GATEFOLD_POSTGRES_URL": database}
    saved, other = tmp_path / "same.json", tmp_path / "other.json"
    assert gatefold(environment, "catalog", "save", str(saved)).code == 0
    assert gatefold(environment, "catalog", "diff", str(saved)).code == 0
    other.write_text(document(changed(genre_tourist_bronze=8)))
    done = gatefold(environment, "catalog", "diff", str(other), "--all", "--json")
    assert done.code == 1, done.err
    assert json.loads(done.out)["badges"][0]["gains"] == 3
    assert gatefold(environment, "catalog", "diff", str(other), "--allow", "3").code == 0
    assert json.loads(gatefold(environment, "catalog", "diff", str(other), "--sample", "2", "--json").out)["users"] == 2
    assert (
        "| `genre-tourist-bronze` | changed |" in gatefold(environment, "catalog", "diff", str(other), "--markdown").out
    )
    assert gatefold(environment, "catalog", "diff", "no-such-thing").code == 2
