"""`gatefold demo`, the way people run it: as a command, to its end and interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

from services.demo.third import due
from services.settings import Settings
from services.topics import TopicAdmin
from tests.conftest import Engines

SECONDS = 240.0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.cli.main", "demo", *arguments]


def environment(temporary: Path, **more: str) -> dict[str, str]:
    """That of the tests, without their engines; everything temporary goes to one directory."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GATEFOLD_")}
    return {**ours, "TMPDIR": str(temporary), "PYTHONFAULTHANDLER": "1", **more}


def running_in(directory: Path) -> list[str]:
    """Command lines of processes that were started for the directory or work in it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        places = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(directory) in place for place in places):
            found.append(" ".join(places))
    return found


def engines_of(child: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The engines that the demo has started so far, with their own children."""
    found = []
    for one in psutil.Process(child.pid).children(recursive=True):
        # Some live for a moment only, like those that prepare a data directory.
        with contextlib.suppress(psutil.NoSuchProcess):
            if "services.stack.reaper" not in one.cmdline():
                found.append(one)
    return found


async def test_every_invariant_holds_and_nothing_remains(stack: Engines, tmp_path: Path) -> None:
    """PostgreSQL and Kafka are there before the run, Neo4j is its own: both ways of having an engine in one."""
    endpoints = stack.endpoints()
    done = subprocess.run(
        command("--json"),
        env=environment(tmp_path, GATEFOLD_POSTGRES_URL=endpoints.postgres_url, GATEFOLD_KAFKA_URL=endpoints.kafka_url),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    summary = json.loads(done.stdout)
    assert summary["ok"]
    assert summary["checks"]
    assert all(check["held"] for check in summary["checks"])
    # Five sweeps: one collector of the first act owns something that the catalogue has learned of; a campaign for four.
    assert (summary["sent"], summary["told"], summary["in_log"]) == (101, 5, 106)
    assert summary["processed"] + summary["duplicate"] + summary["dead"] == 106
    assert summary["duplicate"] == summary["dead"] == 1
    assert summary["outbox"] == summary["drift"] == 0
    assert summary["published"] == summary["awards"] == sum(summary["collectors"].values())
    # The same in every run: what is earned depends on the events alone, and years of membership on the day.
    years = Counter(user for user, _ in due(datetime.now(UTC).date()))
    assert summary["collectors"] == {
        "collector-05": 33 + years["collector-05"],
        "composed-01": 44 + years["composed-01"],
        "collector-03": 17 + years["collector-03"],
        "composed-02": 201,
    }
    assert summary["second_act"]["remaining"] == "Add 94 more R & S Records releases"
    assert [summary["second_act"]["path"][at] for at in (0, -1)] == ["Thomas Fehlmann", "Rick van Breugel"]
    assert len(summary["second_act"]["path"]) == 13
    third = summary["third_act"]
    assert third["why"] == "Add records from 3 more countries"
    assert third["gains"] >= 32, "and what gets older every year"
    assert third["loses"] == ["world-collector-platinum", "mono-enthusiast"]
    assert third["campaign"][:2] == [
        ["collector-03", "anniversary-ii", "2016-12-03T00:00:00Z"],
        ["collector-03", "anniversary-iii", "2017-12-03T00:00:00Z"],
    ]
    assert third["ranks"] > 100
    [letter] = summary["dead_letters"]
    assert (letter["topic"], letter["stage"]) == ("ownership.added", "schema")
    assert letter["reason"] == "data.items[0].release.id: expected int, got str"
    killed = summary["killed"]
    assert 0 < killed["processed_before"] < killed["processed_before"] + killed["left"] <= 92
    assert killed["worker"] not in killed["taken_over_by"]
    assert killed["taken_over_by"]
    assert summary["logs"] is None

    assert list(tmp_path.iterdir()) == []
    assert running_in(tmp_path) == []
    connection = await asyncpg.connect(endpoints.postgres_url)
    try:
        assert await connection.fetch("select datname from pg_database where datname like 'gatefold\\_demo\\_%'") == []
    finally:
        await connection.close()
    admin = TopicAdmin(Settings(kafka_url=endpoints.kafka_url))
    await admin.open()
    try:
        names = {one["topic"] for one in await admin._client.describe_topics()}
    finally:
        await admin.close()
    assert [name for name in names if name.startswith("demo-")] == []


@pytest.fixture
def audible_interrupts() -> Iterator[None]:
    """A shell that runs the tests in the background has SIGINT ignored, and what is ignored is inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("audible_interrupts")
@pytest.mark.parametrize(("number", "delay_seconds"), [(signal.SIGINT, 0.0), (signal.SIGTERM, 6.0)])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, number: signal.Signals, delay_seconds: float) -> None:
    with subprocess.Popen(
        command("--json"), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            deadline = time.monotonic() + SECONDS
            while not (engines := engines_of(child)):
                if child.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"no engine came up: {child.communicate(timeout=5)}")
                time.sleep(0.05)
            time.sleep(delay_seconds)
            engines += engines_of(child)
            child.send_signal(number)
            out, err = child.communicate(timeout=SECONDS)
        finally:
            child.kill()
    assert child.returncode == 130, err.decode()
    assert out == b""
    assert b"interrupted" in err
    _, alive = psutil.wait_procs(engines, timeout=5)
    assert not alive
    assert running_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("keep me")
    done = subprocess.run(
        command("--state-dir", str(tmp_path)),
        env=environment(tmp_path, COLUMNS="400"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"is not an empty directory" in done.stderr
    assert mine.read_text() == "keep me"


def test_a_server_that_is_away_is_named_and_the_logs_are_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        command("--json"),
        env=environment(
            tmp_path, GATEFOLD_POSTGRES_URL="postgresql://nobody@127.0.0.1:9/x", GATEFOLD_KAFKA_URL="127.0.0.1:9"
        ),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 69
    assert done.stdout == b""
    said = done.stderr.decode()
    assert "is set, but nothing answers there" in said
    [logs] = tmp_path.iterdir()
    assert str(logs) in said.replace("\n", "")
    assert (logs / "traceback.txt").exists()
