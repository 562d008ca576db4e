"""A dump into the catalogue beside a bare `lxml.iterparse` over the same file."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lxml import etree

from bench.databases import database, session
from bench.dumps import write_releases
from bench.plan import Engines, Scale, Steps
from bench.results import Result
from bench.throughput import middle

RATE_GOAL = 0.5
RESIDENT_LIMIT_MB = 500
ALL_RELEASES = 18_000_000  # in Discogs
SIZE = "select pg_database_size(current_database())"


async def catalogue(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Releases a second, into an empty catalogue, with totals, dates and news; and the memory that it takes."""
    steps.begin("catalogue", 1 + 2 * scale.rounds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "discogs_20200806_releases.xml.gz"
        size = write_releases(path, scale.dumped)
        steps.done(f"{scale.dumped:,} releases generated, {size / 1e6:,.0f} MB of XML")
        ours, floor, resident, disk = [], [], 0.0, 0.0
        for _ in range(scale.rounds):
            floor.append(scale.dumped / await asyncio.to_thread(bare, path, scale.dumped))
            steps.done(f"bare iterparse: {floor[-1]:,.0f} releases/s")
            async with database(engines.postgres) as url, session(url) as connection:
                empty = await connection.fetchval(SIZE)
                report = await _load(url, path)
                disk = (await connection.fetchval(SIZE) - empty) / scale.dumped
            if report["files"][0]["elements"] != scale.dumped or report["changed"]["releases"] != scale.dumped:
                raise RuntimeError(f"not all of the dump was loaded: {report}")
            ours.append(scale.dumped / report["seconds"])
            resident = max(resident, report["resident_mb"])
            steps.done(f"load: {ours[-1]:,.0f} releases/s, {resident:,.0f} MB resident")
    rate, bare_rate = middle(ours, floor)
    hours = ALL_RELEASES / rate / 3600
    note = f"{rate * size / scale.dumped / 1e6:,.0f} MB/s; {ALL_RELEASES / 1e6:,.0f} million releases in {hours:.1f} h"
    note += f" and {ALL_RELEASES * disk / 1e9:,.0f} GB"
    memory = "the command and its readers"
    return [
        Result("dump load / bare iterparse", "releases/s", rate, bare_rate, ">=", RATE_GOAL, note),
        Result("dump load, resident memory / limit", "MB", resident, RESIDENT_LIMIT_MB, "<=", 1, memory),
    ]


def bare(path: Path, count: int) -> float:
    """Seconds that lxml takes to see each release once."""
    begin = time.perf_counter()
    seen = 0
    with gzip.open(path) as file:
        for _, element in etree.iterparse(file, tag="release"):
            seen += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    if seen != count:
        raise RuntimeError(f"{seen} releases seen, {count} written")
    return time.perf_counter() - begin


async def _load(url: str, path: Path) -> dict[str, Any]:
    """The report of `gatefold catalogue load`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli.main", "catalogue", "load", "--without-graph", str(path), "--json"),
        env=os.environ | {"GATEFOLD_POSTGRES_URL": url},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"gatefold catalogue load ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out)
    return found
