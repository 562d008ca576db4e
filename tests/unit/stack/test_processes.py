"""Which processes are ours, and that only those are ended."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.stack.ports import is_free
from services.stack.processes import (
    ProcessId,
    all_with,
    carries,
    end,
    is_ours,
    kill_families,
    listens,
    locked,
    spawn,
    start_time,
    wait_gone,
)

SLEEP = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
# The first thread ends and the other holds the port, as for a moment those of a killed JVM do.
HEADLESS = """
import ctypes, socket, threading, time
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"
MARKER = "gatefold-0123456789ab-test"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "log"
    kill_families(all_with(MARKER))


def start(code: str, log: Path, marker: str = MARKER) -> ProcessId:
    return spawn([sys.executable, "-c", code, f"-Dgatefold.engine={marker}"], log=log, cwd=log.parent)


def test_a_process_is_ours_by_number_start_and_marker(log: Path) -> None:
    process = start(SLEEP, log)
    assert is_ours(process, MARKER)
    assert not is_ours(process, "gatefold-ba9876543210-test")
    assert not is_ours(ProcessId(process.pid, "an earlier start"), MARKER)
    assert all_with(MARKER) == [process.pid]


def test_a_number_that_went_to_another_process_is_not_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as innocent:
        started = start_time(innocent.pid)
        assert started is not None
        assert not is_ours(ProcessId(innocent.pid, started), MARKER)
        innocent.kill()


def test_the_dead_and_the_zombies_are_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        deadline = time.monotonic() + 10
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert start_time(child.pid) is None
    assert start_time(child.pid) is None


def test_a_process_whose_first_thread_alone_has_ended_is_not_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", HEADLESS], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        deadline = time.monotonic() + 10
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert start_time(child.pid) is not None
        assert not is_free(port)
        child.kill()
        assert wait_gone(child.pid, 10)
        assert is_free(port)


@pytest.mark.parametrize(
    ("arguments", "ours"),
    [
        (["/opt/postgres", "-D", "/data", "-c", f"cluster_name={MARKER}"], True),
        ([f"postgres: {MARKER}: checkpointer "], True),
        (["postgres:", f"{MARKER}:", "walwriter"], True),
        (["java", f"-Dgatefold.engine={MARKER}", "kafka.Kafka"], True),
        (["grep", MARKER], False),
        (["bash", "-c", f"java -Dgatefold.engine={MARKER}"], False),
        (["java", f"-Dgatefold.engine={MARKER}2"], False),
        ([f"postgres: {MARKER}2: checkpointer"], False),
        ([], False),
    ],
)
def test_the_marker_counts_only_where_an_engine_has_it(arguments: list[str], ours: bool) -> None:
    assert carries(arguments, MARKER) is ours


def test_a_family_is_killed_whole_and_nobody_else(log: Path) -> None:
    parent = start(PARENT, log)
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as innocent:
        deadline = time.monotonic() + 10
        while not (children := psutil.Process(parent.pid).children()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill_families([parent.pid])
        assert start_time(parent.pid) is None
        assert start_time(children[0].pid) is None
        assert start_time(innocent.pid) is not None
        innocent.kill()


def test_who_does_not_heed_the_signal_is_killed_after_the_grace(log: Path) -> None:
    process = start(DEAF, log)
    while not log.read_text():
        time.sleep(0.01)
    began = time.monotonic()
    end(process.pid, 15, 0.2)
    assert start_time(process.pid) is None
    assert time.monotonic() - began < 5


def test_waiting_for_an_end_that_does_not_come(log: Path) -> None:
    assert not wait_gone(start(SLEEP, log).pid, 0.05)


def test_output_is_appended_to_the_log(log: Path) -> None:
    log.write_text("before\n")
    process = start("print('after')", log)
    assert wait_gone(process.pid, 10)
    assert log.read_text() == "before\nafter\n"


def test_who_listens_is_known(log: Path) -> None:
    code = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"
    process, other = start(f"{code}; time.sleep(60)", log), start(SLEEP, log)
    while not log.read_text().endswith("\n"):
        time.sleep(0.01)
    port = int(log.read_text())
    assert listens(process.pid, port)
    assert not listens(other.pid, port)
    kill_families([process.pid])
    assert not listens(process.pid, port)


def test_a_lock_is_held_against_other_processes(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"import fcntl; fcntl.flock(open({str(path)!r}, 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    attempt = [sys.executable, "-c", code]
    with locked(path):
        assert subprocess.run(attempt, capture_output=True, check=False).returncode == 1
    assert subprocess.run(attempt, capture_output=True, check=False).returncode == 0
