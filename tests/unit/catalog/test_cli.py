"""`gatefold catalog list` and `gatefold catalog lint`, as a person and as a script call them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import catalog.index
import catalog.lock
import services.cli.catalog
from catalog.definition import Coverage, Threshold
from catalog.index import every_badge, load_catalog
from services.cli.catalog import app

runner = CliRunner()


def test_list_json_has_every_badge_with_its_rule() -> None:
    result = runner.invoke(app, ["list", "--json"])
    badges = {badge["key"]: badge for badge in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert len(badges) == len(load_catalog().badges)
    assert badges["genre-tourist-gold"]["rule"] == "genres >= 20"
    assert badges["genre-tourist-gold"]["criterion"] == {"kind": "threshold", "metric": "genres", "at_least": 20}
    assert badges["genre-tourist-gold"]["triggers"] == ["ownership.added"]


def test_list_narrows_by_family_and_trigger() -> None:
    result = runner.invoke(app, ["list", "--json", "--family", "owner", "--trigger", "ownership.added"])
    assert [badge["key"] for badge in json.loads(result.stdout)] == [
        f"owner-{t}" for t in ("i", "ii", "iii", "iv", "v")
    ]
    none = runner.invoke(app, ["list", "--json", "--family", "owner", "--trigger", "wishlist.added"])
    assert json.loads(none.stdout) == []


def test_list_prints_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    result = runner.invoke(app, ["list", "--family", "master-collector"])
    assert "Master Collector (per master)" in result.stdout
    assert "pressings >= 25" in result.stdout


@pytest.mark.parametrize("option", ["--family", "--trigger"])
def test_an_unknown_name_is_wrong_usage(option: str) -> None:
    result = runner.invoke(app, ["list", option, "nonsense"])
    assert result.exit_code == 2
    assert "'nonsense'" in result.stderr


def test_lint_passes_and_tells_what_is_out_of_reach() -> None:
    result = runner.invoke(app, ["lint"])
    assert result.exit_code == 0
    assert "genre-tourist-platinum: out of reach" in result.stdout
    assert f"{len(load_catalog().badges)} badges, 0 faults, 2 warnings" in result.stdout


def test_lint_reports_every_fault_and_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *others = every_badge()
    broken = (
        first.model_copy(update={"criterion": Threshold(metric="spins", at_least=1)}),
        second.model_copy(update={"triggers": ()}),
        *others,
    )
    monkeypatch.setattr(catalog.index, "every_badge", lambda: broken)
    result = runner.invoke(app, ["lint", "--json"])
    found = json.loads(result.stdout)["faults"]
    assert result.exit_code == 1
    assert f"{first.key}: the snapshot has no metric 'spins'" in found
    assert any(fault.startswith(f"{second.key}: it has no trigger") for fault in found)
    assert any(fault.startswith(f"{first.key}: its rule differs from catalog.lock") for fault in found)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where `--write-lock` writes instead of the committed file."""
    path = tmp_path / "catalog.lock"
    monkeypatch.setattr(services.cli.catalog, "_lock_path", lambda: path)
    return path


def test_write_lock_says_that_a_changed_rule_is_meant(monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    first, *others = every_badge()
    harder = first.model_copy(update={"criterion": Coverage(of="label", percent=26)})
    monkeypatch.setattr(catalog.index, "every_badge", lambda: (harder, *others))
    assert runner.invoke(app, ["lint"]).exit_code == 1
    assert runner.invoke(app, ["lint", "--write-lock"]).exit_code == 0
    assert catalog.lock.lock_faults([harder, *others], catalog.lock.parse(written.read_text())) == []


def test_the_lock_is_written_beside_the_catalog() -> None:
    assert services.cli.catalog._lock_path() == Path(catalog.lock.__file__).with_name("catalog.lock")


def test_write_lock_refuses_to_forget_a_badge(monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    shorter = tuple(badge for badge in every_badge() if badge.family != "deep-cut")
    monkeypatch.setattr(catalog.index, "every_badge", lambda: shorter)
    result = runner.invoke(app, ["lint", "--write-lock", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["faults"] == [
        "deep-cut: in catalog.lock, but not in the catalog; retire a badge, never delete it"
    ]
    assert not written.exists()


def test_a_damaged_lock_is_a_fault_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog.lock, "read_lock", lambda: catalog.lock.parse("nonsense\n"))
    result = runner.invoke(app, ["lint", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["faults"] == [
        "catalog.lock, line 1: expected one `key digest` per badge, got 'nonsense'"
    ]


@pytest.mark.parametrize("command", ["list", "lint"])
def test_help_shows_examples(command: str) -> None:
    assert f"gatefold catalog {command} --" in runner.invoke(app, [command, "--help"]).stdout
