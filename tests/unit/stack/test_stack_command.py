"""`gatefold stack` without engines: usage, exit codes, messages."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.stack import app
from services.stack import boot
from services.stack.ports import free_port
from services.stack.stack import ENGINES


@pytest.fixture(autouse=True)
def _no_servers_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ENGINES.values():
        monkeypatch.delenv(engine.setting, raising=False)


def stack(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_an_unknown_engine_is_wrong_usage(tmp_path: Path) -> None:
    for command in ("up", "status", "logs"):
        result = stack(command, "--state-dir", tmp_path, "--only", "postgres,redis")
        assert result.exit_code == 2
        assert "redis" in result.stderr


def test_a_file_is_no_state_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in ("up", "down", "status", "logs"):
        assert stack(command, "--state-dir", tmp_path / "file").exit_code == 2


def test_status_of_nothing_is_something_wrong(tmp_path: Path) -> None:
    result = stack("status", "--state-dir", tmp_path / "state", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {"engine": name, "state": "stopped", "url": None, "pid": None} for name in ENGINES
    ]
    assert not (tmp_path / "state").exists()


def test_down_of_nothing_is_done(tmp_path: Path) -> None:
    result = stack("down", "--state-dir", tmp_path / "state", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"stopped": [], "wiped": False}


def test_logs_of_nothing(tmp_path: Path) -> None:
    result = stack("logs", "--state-dir", tmp_path)
    assert result.exit_code == 1
    assert "there are no logs" in result.stderr


def test_logs_are_the_last_lines_of_each_engine(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("one\ntwo\nthree\n")
    assert stack("logs", "--state-dir", tmp_path, "-n", "2").stdout == "kafka    | two\nkafka    | three\n"
    found = json.loads(stack("logs", "--state-dir", tmp_path, "-n", "1", "--json").stdout)
    assert found == {"postgres": [], "kafka": ["three"], "neo4j": []}


@pytest.mark.parametrize(
    ("setting", "url", "engine"),
    [
        ("GATEFOLD_POSTGRES_URL", "postgresql://user:secret@127.0.0.1:{port}/gatefold", "postgres"),
        ("GATEFOLD_KAFKA_URL", "127.0.0.1:{port}", "kafka"),
        ("GATEFOLD_NEO4J_URL", "bolt://127.0.0.1:{port}", "neo4j"),
    ],
)
def test_a_server_of_the_environment_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, url: str, engine: str
) -> None:
    monkeypatch.setattr(boot, "EXTERNAL_SECONDS", 0.0)
    monkeypatch.setenv(setting, url.format(port=free_port()))
    up = stack("up", "--state-dir", tmp_path, "--only", engine)
    assert up.exit_code == 69
    assert f"{setting} is set, but nothing answers there" in up.stderr
    assert "secret" not in up.stderr
    status = stack("status", "--state-dir", tmp_path, "--only", engine)
    assert status.exit_code == 1
    assert "external, not answering" in " ".join(status.stdout.split())
    assert "secret" not in status.stdout


def test_a_directory_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    result = stack("up", "--state-dir", tmp_path, "--only", "kafka")
    assert result.exit_code == 1
    assert "not a stack's directory" in result.stderr


def test_every_command_has_help_with_an_example() -> None:
    for command in ("up", "down", "status", "logs"):
        result = stack(command, "--help")
        assert result.exit_code == 0
        assert f"gatefold stack {command}" in result.stdout
