"""`gatefold catalogue load` as a process: what it says, killed in the middle, two at once, a file of any size."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from bench.dumps import releases, write_releases
from services.stores.catalogue_load import LOAD_LOCK
from services.stores.postgres import connect
from tests.integration.commands import command, gatefold, until
from tests.integration.dumps import SAMPLES, Dumped, content, empty, versions, write

FILES = [str(path) for path in sorted(SAMPLES.glob("*.xml.gz"))]


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to an empty catalogue."""
    found = await connect(database, application="test-load")
    await empty(found)
    yield found
    await found.close()


@pytest.fixture
def environment(database: str) -> dict[str, str]:
    return {"GATEFOLD_POSTGRES_URL": database}


async def test_the_summary(connection: asyncpg.Connection[Any], environment: dict[str, str]) -> None:
    done = gatefold(environment, "catalogue", "load", "--without-graph", *FILES)
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "700 releases" in words
    done = gatefold(environment, "catalogue", "load", "--without-graph", *FILES, "--json")
    report = json.loads(done.out)
    assert (done.code, done.err, report["as_of"], report["finished"]) == (0, "", "2020-08-06", True)
    assert [(one["kind"], one["elements"], one["bad"], one["broken"]) for one in report["files"]] == [
        (kind, 700, 0, None) for kind in ("artist", "label", "master", "release")
    ]
    assert report["changed"] == {"releases": 0, "totals": 0, "gone": 0}
    assert 20 < report["resident_mb"] < 500


async def test_the_graph_comes_with_the_load(
    connection: asyncpg.Connection[Any], environment: dict[str, str], neo4j_url: str, tmp_path: Path
) -> None:
    band = tmp_path / "discogs_20200806_artists.xml"
    members = '<members><name id="8">Bea</name><name id="9">Cem</name></members>'
    write(band, "artist", [f"<artist><id>7</id><name>Band</name>{members}</artist>"])
    done = gatefold({**environment, "GATEFOLD_NEO4J_URL": neo4j_url}, "catalogue", "load", str(band))
    assert done.code == 0, done.err
    assert "graph: 3 artists, 2 collaborations" in done.out
    done = gatefold({**environment, "GATEFOLD_NEO4J_URL": "bolt://127.0.0.1:1"}, "catalogue", "load", str(band))
    assert done.code == 69
    assert "Neo4j" in done.err
    assert await connection.fetchval("select count(*) from catalogue_load where finished_at is null") == 0


async def test_a_dry_run_reads_and_writes_nothing(connection: asyncpg.Connection[Any], tmp_path: Path) -> None:
    away = {"GATEFOLD_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/x"}
    bad = write(tmp_path / "r.xml", "release", ["<release id='x'/>", Dumped(1).xml()])
    done = gatefold(
        away, "catalogue", "load", "--without-graph", str(bad), "--as-of", "2020-01-01", "--dry-run", "--json"
    )
    report = json.loads(done.out)
    assert (done.code, report["dry_run"], report["load_id"], report["files"][0]["elements"]) == (1, True, None, 2)
    assert done.err == f"{bad}:2: release x: id 'x' is no number from 0 to 9223372036854775807\n"
    assert gatefold(away, "catalogue", "load", "--without-graph", *FILES, "--dry-run").code == 0
    assert await connection.fetchval("select count(*) from catalogue_load") == 0


async def test_faults_are_named_with_file_line_and_id(
    connection: asyncpg.Connection[Any], environment: dict[str, str], tmp_path: Path
) -> None:
    elements = [
        Dumped(1).xml(),
        "<release id='2'><title>a&#1;</title></release>",
        Dumped(3).xml(),
        Dumped(4).xml()[:30],
    ]
    path = write(tmp_path / "discogs_20200806_releases.xml", "release", elements)
    path.write_bytes(path.read_bytes().removesuffix(b"\n</releases>\n"))
    done = gatefold(environment, "catalogue", "load", "--without-graph", str(path))
    assert done.code == 1
    first, second = done.err.splitlines()
    assert first.startswith(f"{path}:3: release 2: ")
    assert second == f"{path}:5: the file ends before </releases>; what is before it is loaded"
    assert "not finished: run it again with a whole file" in " ".join(done.out.split())
    assert [row[0] for row in await connection.fetch("select release_id from release order by 1")] == [1, 3]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["x.xml"], "the name does not tell the day of the dump (discogs_YYYYMMDD_…): give --as-of"),
        (["x.xml", "--as-of", "yesterday"], "--as-of yesterday: expected a date YYYY-MM-DD"),
        (["x.xml", "--as-of", "2020-02-30"], "--as-of 2020-02-30: no such day in the calendar"),
        (["x.xml", "--as-of", "2999-01-01"], "a dump of 2999-01-01 is not there yet"),
        (["nowhere.xml", "--as-of", "2020-01-01"], "nowhere.xml: No such file or directory"),
        (["y.csv", "--as-of", "2020-01-01"], "y.csv: no XML is not the beginning of a dump of releases, masters,"),
        (
            ["discogs_20200806_labels.xml", "discogs_20200901_labels.xml"],
            "dumps of 2020-08-06 and 2020-09-01: load one day at a time",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], why: str, tmp_path: Path) -> None:
    for name in ("x.xml", "discogs_20200806_labels.xml", "discogs_20200901_labels.xml"):
        (tmp_path / name).write_text("<labels></labels>")
    (tmp_path / "y.csv").write_text("release_id,date_added\n")
    asked = [str(tmp_path / one) if "." in one else one for one in arguments]
    done = gatefold({}, "catalogue", "load", "--without-graph", *asked)
    assert (done.code, done.out) == (2, "")
    assert why in done.err


def test_a_server_that_is_away() -> None:
    done = gatefold(
        {"GATEFOLD_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/x"}, "catalogue", "load", "--without-graph", *FILES
    )
    assert done.code == 69
    assert done.err.startswith("PostgreSQL at postgresql://nobody@127.0.0.1:1/x is unreachable")


async def test_several_loads_at_once_are_refused(
    connection: asyncpg.Connection[Any], environment: dict[str, str]
) -> None:
    await connection.execute("select pg_advisory_lock($1)", LOAD_LOCK)
    done = gatefold(environment, "catalogue", "load", "--without-graph", *FILES)
    assert (done.code, done.err) == (1, "another load is running; wait for it\n")
    await connection.execute("select pg_advisory_unlock($1)", LOAD_LOCK)
    assert gatefold(environment, "catalogue", "load", "--without-graph", *FILES).code == 0


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump that takes some seconds to load."""
    path = tmp_path_factory.mktemp("dump") / "discogs_20200806_releases.xml.gz"
    write_releases(path, 14_000)
    return path


async def test_killed_in_the_middle_it_goes_on(
    connection: asyncpg.Connection[Any], environment: dict[str, str], dump: Path
) -> None:
    assert gatefold(environment, "catalogue", "load", "--without-graph", str(dump)).code == 0
    expected = await content(connection)
    await empty(connection)

    rows = 0
    for _ in range(3):
        process = subprocess.Popen(
            command("catalogue", "load", "--without-graph", str(dump)),
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # Killed a little after something was written; at least some of it after the last file, in the counting.
        end = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < end:
            if (now := int(await connection.fetchval("select count(*) from release"))) > rows:
                rows = now
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < rows < 14_000
    state = await connection.fetchrow("select bytes, elements from load_file")
    assert state is not None
    assert state["elements"] == await connection.fetchval("select count(*) from release")
    before = {row[0]: row[1] for row in await connection.fetch("select release_id, xmin::text from facts")}
    done = gatefold(environment, "catalogue", "load", "--without-graph", str(dump), "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["files"][0]["elements"] == 14_000
    assert await content(connection) == expected
    # What was loaded was not loaded again.
    after = {row[0]: row[1] for row in await connection.fetch("select release_id, xmin::text from facts")}
    assert {id_: after[id_] for id_ in before} == before
    assert await connection.fetchval("select count(*) from load_release") == 14_000
    assert await connection.fetchval("select count(*) from catalogue_load") == 1
    assert await connection.fetchval("select count(*) from news") == 1


async def test_killed_while_it_counts_it_counts_again(
    connection: asyncpg.Connection[Any], environment: dict[str, str], dump: Path
) -> None:
    process = subprocess.Popen(
        command("catalogue", "load", "--without-graph", str(dump)),
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    counting = "select exists (select from catalogue_total) and not exists (select from news)"
    end = time.monotonic() + 60
    while not await connection.fetchval(counting):
        assert time.monotonic() < end
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert gatefold(environment, "catalogue", "load", "--without-graph", str(dump)).code == 0
    totals = await connection.fetchval("select count(*) from catalogue_total")
    assert totals == await connection.fetchval("select count(*) from load_total")
    artists = "select count(distinct artist_id) from release_artist"
    labels = "select count(distinct label_id) from release_label"
    masters = "select count(distinct master_id) from release"
    assert totals == sum([int(await connection.fetchval(one)) for one in (artists, labels, masters)])
    before = await versions(connection)
    assert gatefold(environment, "catalogue", "load", "--without-graph", str(dump)).code == 0
    assert await versions(connection) == before


def test_the_reader_goes_when_the_load_is_killed(environment: dict[str, str], dump: Path) -> None:
    process = subprocess.Popen(
        command("catalogue", "load", "--without-graph", str(dump), "--dry-run"),
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def children() -> list[str]:
        return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    until(lambda: process.poll() is not None or bool(children()))
    (reader,) = children()
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not Path(f"/proc/{reader}").exists())


async def test_memory_stays_bounded(
    connection: asyncpg.Connection[Any], environment: dict[str, str], tmp_path: Path
) -> None:
    """Six times the dump, and an element of 20 MB among the others, take hardly more."""

    def content() -> Iterator[bytes]:
        yield b"<releases>\n"
        for number, one in enumerate(releases(12_000)):
            yield one.encode()
            if number == 5_000:
                yield b"<release id='99999999'><notes>" + b"x " * 4_500_000 + b"</notes></release>\n"
        yield b"</releases>\n"

    small, large = tmp_path / "discogs_20200806_a.xml.gz", tmp_path / "discogs_20200806_b.xml.gz"
    write_releases(small, 2_000)
    with gzip.open(large, "wb", compresslevel=1) as file:
        for part in content():
            file.write(part)
    found = []
    for path in (small, large):
        done = gatefold(environment, "catalogue", "load", "--without-graph", str(path), "--json")
        assert done.code == 0, done.err
        found.append(json.loads(done.out)["resident_mb"])
    assert found[1] < 300
    assert found[1] < found[0] + 150
    assert await connection.fetchval("select count(*) from release") == 12_001
