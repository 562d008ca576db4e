"""From stopped to answering, with a small engine that can go wrong in every way."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.stack import boot, ports
from services.stack.engine import Engine, Launch
from services.stack.errors import BootFailed, Unreachable
from services.stack.kafka import cluster_id
from services.stack.processes import ProcessId, all_with, is_ours, kill_families, spawn, start_time
from services.stack.state import State

SERVER = """
import socket, sys
print("starting", flush=True)
with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen()
    while True:
        server.accept()[0].sendall(b"here")
"""


class Echo(Engine):
    """Answers "here" to everybody."""

    name = "echo"
    setting = "GATEFOLD_ECHO_URL"
    port_names = ("client",)
    stop_signal = signal.SIGTERM
    stop_grace_seconds = 1.0
    poll_seconds = 0.02
    code = SERVER

    def create(self, ports: Mapping[str, int], log: Path) -> None:
        with log.open("a") as file:
            file.write("created\n")

    def launch(self, ports: Mapping[str, int]) -> Launch:
        argv = [sys.executable, "-c", self.code, str(ports["client"]), f"-Dgatefold.engine={self.marker}"]
        return Launch(argv, {"GREETING": "here"})

    def url(self, ports: Mapping[str, int]) -> str:
        return f"127.0.0.1:{ports['client']}"

    @staticmethod
    def ask(url: str) -> None:
        host, _, port = url.partition(":")
        with socket.create_connection((host, int(port)), timeout=1) as client:
            client.settimeout(1)
            assert client.recv(4) == b"here"


class Place:
    """One state directory with one engine in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "echo.log"
        self.state = State(directory / "state.json")

    def boot(self, kind: type[Echo] = Echo) -> ProcessId:
        boot.boot(self.engine(kind), self.state, self.log, threading.Event())
        process = self.state.engine("echo").process
        assert process is not None
        return process

    def engine(self, kind: type[Echo] = Echo) -> Echo:
        return kind(self.directory / "echo", self.state.marker("echo"), "")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    kill_families(all_with(place.state.marker("echo")))


def test_a_boot_ends_when_the_engine_answers_and_is_remembered(place: Place) -> None:
    process = place.boot()
    Echo.ask(place.state.engine("echo").url)
    remembered = State(place.directory / "state.json").engine("echo")
    assert remembered == place.state.engine("echo")
    assert remembered.process == process


def test_what_runs_is_left_alone(place: Place) -> None:
    assert place.boot() == place.boot()
    assert place.log.read_text() == "created\nstarting\n"


def test_what_was_killed_comes_back_on_its_port_with_its_data(place: Place) -> None:
    first = place.boot()
    url = place.state.engine("echo").url
    os.kill(first.pid, signal.SIGKILL)
    assert place.boot() != first
    assert place.state.engine("echo").url == url
    assert place.log.read_text().count("created") == 1


def test_a_port_that_was_taken_meanwhile_is_replaced(place: Place) -> None:
    kill_families([place.boot().pid])
    port = place.state.engine("echo").ports["client"]
    with socket.create_server(("127.0.0.1", port)):
        place.boot()
        assert place.state.engine("echo").ports["client"] != port


def test_a_port_that_is_taken_in_the_last_moment_is_replaced(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check found it free; only the engine itself notices."""
    with socket.create_server(("127.0.0.1", ports.free_port())) as other:
        taken = other.getsockname()[1]
        chosen = iter([taken, taken, ports.free_port()])
        monkeypatch.setattr(boot, "free_port", lambda avoid: next(chosen))
        place.boot()
        assert place.state.engine("echo").ports["client"] != taken
    assert place.log.read_text().lower().count("address already in use") == 2


def test_an_engine_that_ends_shows_the_end_of_its_log(place: Place) -> None:
    class Broken(Echo):
        code = "for n in range(50): print('line', n)\nraise SystemExit('the disk is full')"

    with pytest.raises(BootFailed, match="echo ended during its boot") as failure:
        place.boot(Broken)
    assert "the disk is full" in str(failure.value)
    assert "line 49" in str(failure.value)
    assert "line 20" not in str(failure.value)
    assert str(place.log) in str(failure.value)


def test_an_engine_that_never_answers_is_given_up(place: Place) -> None:
    class Silent(Echo):
        code = SERVER.replace('b"here"', 'b"gone"')
        boot_seconds = 0.5

    with pytest.raises(BootFailed, match=r"does not answer after 0 s \(AssertionError"):
        place.boot(Silent)


def test_an_engine_that_hangs_is_replaced(place: Place) -> None:
    class Impatient(Echo):
        boot_seconds = 0.3

    first = place.boot()
    os.kill(first.pid, signal.SIGSTOP)
    assert place.boot(Impatient) != first
    assert start_time(first.pid) is None


def test_what_a_killed_boot_started_without_writing_it_down_is_ended(place: Place) -> None:
    stray = spawn(place.engine().launch({"client": ports.free_port()}).argv, log=place.log, cwd=place.directory)
    place.boot()
    assert start_time(stray.pid) is None


def test_a_number_that_went_to_another_process_is_no_obstacle_and_no_victim(place: Place) -> None:
    innocent = spawn([sys.executable, "-c", "import time; time.sleep(60)"], log=place.log, cwd=place.directory)
    place.state.engine("echo").process = innocent
    place.boot()
    assert start_time(innocent.pid) == innocent.started
    kill_families([innocent.pid])


def test_what_an_interrupted_preparation_left_is_made_anew(place: Place) -> None:
    half = place.directory / "echo" / "half"
    half.mkdir(parents=True)
    place.boot()
    assert not half.exists()
    kill_families([place.boot().pid])
    kept = place.directory / "echo" / "data"
    kept.touch()
    place.boot()
    assert kept.exists()


def test_a_boot_can_be_called_off(place: Place) -> None:
    class Silent(Echo):
        code = "import time; time.sleep(60)"

    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(BootFailed, match="given up"):
        boot.boot(place.engine(Silent), place.state, place.log, stop)
    process = place.state.engine("echo").process
    assert process is not None
    assert is_ours(process, place.state.marker("echo"))


def test_a_server_of_somebody_elses_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "EXTERNAL_SECONDS", 0.0)
    with pytest.raises(Unreachable, match="GATEFOLD_ECHO_URL is set, but nothing answers there"):
        boot.ask_external(Echo, f"127.0.0.1:{ports.free_port()}")
    assert not boot.answers(Echo, f"127.0.0.1:{ports.free_port()}")


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert boot.tail(log, 3) == []
    log.write_bytes(b"one\ntwo\n\xff three\n")
    assert boot.tail(log, 2) == ["two", "\ufffd three"]
    assert boot.tail(log, 9) == ["one", "two", "\ufffd three"]


@pytest.mark.parametrize("first", [0x00, 0x7F, 0xF8, 0xFB, 0xFF])
def test_the_id_of_a_cluster_is_never_taken_for_an_option(first: int) -> None:
    made = cluster_id(bytes((first,)) + b"\xff" * 15)
    assert made[0] not in "-_"
    assert len(made) == 22
