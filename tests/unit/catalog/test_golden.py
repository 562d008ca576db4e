"""The demo's collectors in memory: what is committed stands, and whatever changes a badge is seen, line by line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import catalog.index
import services.demo.golden
from catalog.definition import Threshold
from catalog.index import Catalog, every_badge, load_catalog
from evaluators import engine
from evaluators.threshold import evaluate_threshold
from services.cli.catalog import app
from services.demo.golden import difference, lines_of

runner = CliRunner()


@pytest.fixture(scope="module")
def committed() -> list[str]:
    return services.demo.golden.path().read_text(encoding="utf-8").splitlines()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, committed: list[str]) -> Path:
    """A copy of the committed file, which may be written."""
    file = tmp_path / "golden.txt"
    file.write_text("\n".join(committed) + "\n", encoding="utf-8")
    monkeypatch.setattr(services.demo.golden, "path", lambda: file)
    return file


def easier(key: str, target: int) -> Catalog:
    """The catalog with another target for one badge."""
    return Catalog(
        badge.model_copy(update={"criterion": badge.criterion.model_copy(update={"at_least": target})})
        if badge.key == key
        else badge
        for badge in every_badge()
    )


def test_every_badge_comes_to_what_is_committed(committed: list[str]) -> None:
    assert difference(committed, lines_of(load_catalog())) == []


def test_there_is_a_line_for_each_collector_and_badge(committed: list[str]) -> None:
    named = [tuple(line.split()[:2]) for line in committed]
    assert len(set(named)) == len(named)
    assert {user for user, _ in named} == {"collector-03", "collector-05", "composed-01", "composed-02"}
    assert len(named) == 4 * len(load_catalog().badges)


def test_a_changed_target_is_a_line_for_each_collector_and_no_other(committed: list[str]) -> None:
    found = difference(committed, lines_of(easier("genre-tourist-gold", 14)))
    assert len(found) == 8
    assert {line[1:].split()[1] for line in found} == {"genre-tourist-gold"}
    changed = [line.split() for line in found if line.startswith("+composed-01")]
    assert changed == [["+composed-01", "genre-tourist-gold", "15/14", "2021-03-06"]]


def test_an_evaluator_that_errs_is_seen(monkeypatch: pytest.MonkeyPatch, committed: list[str]) -> None:
    """Two too many are asked for: who came to three pressings has earned nothing."""

    def strict(criterion: Threshold, *facts: object) -> object:
        harder: Callable[..., object] = evaluate_threshold
        return harder(criterion.model_copy(update={"at_least": criterion.at_least + 2}), *facts)

    monkeypatch.setitem(engine.EVALUATORS, Threshold, strict)
    found = difference(committed, lines_of(load_catalog()))
    assert any(line.startswith("-composed-02  time-traveler-bronze") and line.endswith("2021-05-02") for line in found)
    assert any(line.startswith("+composed-02  time-traveler-bronze") and line.endswith("3/5  -") for line in found)


def test_the_command_says_what_differs_and_renews_it(monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> None:
    assert runner.invoke(app, ["golden"]).exit_code == 0
    monkeypatch.setattr(catalog.index, "load_catalog", lambda: easier("owner-ii", 11))
    result = runner.invoke(app, ["golden"])
    assert result.exit_code == 1
    assert "340 lines, 8 changes\nIf that is meant, say so with `gatefold catalog golden --write`.\n" in result.stdout
    assert "-collector-03 owner-ii                              68/10  2015-01-19\n" in result.stdout
    assert "+collector-03 owner-ii                              68/11  2015-01-19\n" in result.stdout
    before = elsewhere.read_text(encoding="utf-8")
    assert json.loads(runner.invoke(app, ["golden", "--json"]).stdout)["written"] is False
    assert elsewhere.read_text(encoding="utf-8") == before
    assert runner.invoke(app, ["golden", "--write"]).exit_code == 0
    assert runner.invoke(app, ["golden"]).stdout == "340 lines, 0 changes\n"


def test_without_a_file_every_line_is_new(elsewhere: Path) -> None:
    elsewhere.unlink()
    result = runner.invoke(app, ["golden", "--json"])
    assert (result.exit_code, len(json.loads(result.stdout)["difference"])) == (1, 340)


def test_the_file_lies_beside_the_lock() -> None:
    assert services.demo.golden.path().with_name("catalog.lock").is_file()
