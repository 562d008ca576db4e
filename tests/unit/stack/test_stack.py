"""A stack's directory, addresses and memory; the engines themselves are in tests/integration."""

import json
import stat
import sys
from pathlib import Path

import pytest

from services.stack.endpoints import Endpoints
from services.stack.errors import StackError
from services.stack.processes import kill_families, spawn, start_time
from services.stack.stack import ENGINES, Stack, chosen
from services.stack.state import State


@pytest.fixture(autouse=True)
def _no_servers_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ENGINES.values():
        monkeypatch.delenv(engine.setting, raising=False)


@pytest.mark.parametrize("name", ["postgres", "kafka", "neo4j", "logs", "env"])
def test_a_directory_with_files_of_somebody_elses_is_refused(tmp_path: Path, name: str) -> None:
    precious = tmp_path / name / "precious"
    precious.mkdir(parents=True)
    with pytest.raises(StackError, match=f"not a stack's directory, but holds {name}"):
        Stack(tmp_path).up(())
    assert Stack(tmp_path).down(wipe=True) == []
    assert precious.exists()


def test_down_of_nothing_makes_nothing(tmp_path: Path) -> None:
    assert Stack(tmp_path / "absent").down() == []
    assert not (tmp_path / "absent").exists()


def test_a_stack_without_engines_has_secrets_that_stay(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "state")
    stack.up(())
    first = stack.environment()
    assert first.keys() == {"GATEFOLD_JWT_SECRET", "GATEFOLD_ERASURE_KEY"}
    assert all(len(bytes.fromhex(value)) >= 32 for value in first.values())
    stack.down()
    stack.up(())
    assert stack.environment() == first
    for file in (stack.env_file, stack.directory / "state.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    stack.down(wipe=True)
    assert not stack.directory.exists()


def test_wiping_leaves_what_others_put_there(tmp_path: Path) -> None:
    Stack(tmp_path).up(())
    (tmp_path / "notes").touch()
    Stack(tmp_path).down(wipe=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@pytest.mark.parametrize("damage", ["", "{", "[]"])
def test_a_damaged_memory_is_named_and_can_be_wiped(tmp_path: Path, damage: str) -> None:
    stack = Stack(tmp_path / "state")
    stack.up(())
    (stack.directory / "state.json").write_text(damage)
    with pytest.raises(StackError, match=r"state\.json is damaged.*--wipe"):
        stack.up(())
    with pytest.raises(StackError, match="is damaged"):
        stack.down()
    stack.down(wipe=True)
    stack.up(())


def test_the_number_of_a_process_of_somebody_elses_is_never_used(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.up(())
    innocent = spawn([sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log", cwd=tmp_path)
    state = State(tmp_path / "state.json")
    state.engine("kafka").process = innocent
    state.engine("kafka").url = "kafka://127.0.0.1:1"
    state.save()
    assert {each.state for each in stack.status()} == {"stopped"}
    stack.kill("kafka")
    assert stack.down() == []
    assert start_time(innocent.pid) == innocent.started
    assert "process" not in json.dumps(stack.environment())
    kill_families([innocent.pid])


def test_an_address_of_the_environment_that_is_our_own_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has sourced our env file, and the engine has stopped since."""
    stack = Stack(tmp_path)
    stack.up(())
    state = State(tmp_path / "state.json")
    state.engine("kafka").url = "kafka://127.0.0.1:1"
    state.save()
    monkeypatch.setenv("GATEFOLD_KAFKA_URL", "kafka://127.0.0.1:1")
    assert stack.endpoints().urls == {}
    monkeypatch.setenv("GATEFOLD_KAFKA_URL", "kafka://127.0.0.1:2")
    assert stack.endpoints().kafka_url == "kafka://127.0.0.1:2"
    for change in (stack.kill, stack.stop_engine, stack.restart):
        with pytest.raises(StackError, match="kafka is not a process of this stack: GATEFOLD_KAFKA_URL names it"):
            change("kafka")


def test_an_engine_that_was_not_started_has_no_address() -> None:
    with pytest.raises(StackError, match="neo4j is not part of what was started"):
        _ = Endpoints({"kafka": "kafka://127.0.0.1:1"}).neo4j_url


def test_engines_are_chosen_by_name() -> None:
    assert chosen(["kafka", "postgres"]) == ("postgres", "kafka")
    with pytest.raises(ValueError, match="unknown engine redis, mongo: there are postgres, kafka, neo4j"):
        chosen(["redis", "kafka", "mongo"])
