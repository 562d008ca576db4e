"""Children that end are started again, and stopped together."""

import asyncio
import sys
import time

import pytest

from services.cli import supervisor
from services.cli.supervisor import Child, Supervisor, pause_seconds
from services.cli.up import children
from services.settings import Settings

ENDS = "print('here'); raise SystemExit(3)"
STAYS = "import signal,sys,time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up'); time.sleep(60)"
DEAF = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"


def child(name: str, code: str) -> Child:
    return Child(name, [sys.executable, "-c", code], {"GATEFOLD_TEST": name})


async def run(children: list[Child], until: int) -> tuple[list[tuple[str, bytes]], float]:
    """The lines of the children until so many came, and what stopping took."""
    lines: list[tuple[str, bytes]] = []
    enough = asyncio.Event()

    def write(name: str, line: bytes) -> None:
        lines.append((name, line))
        if len(lines) >= until:
            enough.set()

    supervised = Supervisor(children, write)
    task = asyncio.create_task(supervised.run())
    async with asyncio.timeout(20):
        await enough.wait()
        begin = time.monotonic()
        supervised.stop()
        await task
    return lines, time.monotonic() - begin


async def test_a_child_that_ends_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS", (0.01, 0.02))
    lines, _ = await run([child("a", ENDS)], 4)
    assert set(lines) == {("a", b"here\n")}


async def test_children_stop_in_order_and_the_deaf_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    lines, seconds = await run([child("a", STAYS), child("b", DEAF)], 2)
    assert sorted(lines) == [("a", b"up\n"), ("b", b"up\n")]
    assert 0.5 <= seconds < 10


async def test_a_line_of_megabytes_does_not_end_the_copying() -> None:
    lines, _ = await run([child("a", "print('x' * 3_000_000); print('after'); import time; time.sleep(60)")], 4)
    assert b"".join(line for _, line in lines).replace(b"\n", b"") == b"x" * 3_000_000 + b"after"
    assert lines[-1] == ("a", b"after\n")


def test_pauses_grow_to_their_limit() -> None:
    assert [pause_seconds(n) for n in (1, 2, 3, 6, 10_000)] == [0.5, 1.0, 2.0, 10.0, 10.0]


def test_every_worker_has_a_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEFOLD_NEO4J_URL", raising=False)
    options = Settings(worker_port=8101, relay_port=8102, api_port=8103, scheduler_port=8105)
    found = children(options, 3, as_json=False)
    assert [one.name for one in found] == ["worker-1", "worker-2", "worker-3", "relay", "scheduler", "api"]
    assert [one.environment["GATEFOLD_WORKER_PORT"] for one in found[:3]] == ["8101", "8104", "8106"]
    free = children(Settings(worker_port=0), 2, as_json=True)
    assert [one.environment["GATEFOLD_WORKER_PORT"] for one in free[:2]] == ["0", "0"]
    assert free[0].environment["GATEFOLD_LOG_JSON"] == "true"


def test_the_graph_lane_runs_where_there_is_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEFOLD_NEO4J_URL", "bolt://127.0.0.1:7687")
    found = children(Settings(worker_port=8102), 3, as_json=False)
    assert [one.name for one in found] == ["worker-1", "worker-2", "worker-3", "relay", "scheduler", "api", "graph"]
    assert [one.environment["GATEFOLD_WORKER_PORT"] for one in found[:3]] == ["8105", "8106", "8107"]
