"""Links, totals, dates of masters and first pressings after any dumps in any order: against plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.stores.postgres import connect
from tests.integration.dumps import Dumped, empty, load_now, versions, write

REISSUES = {"Reissue", "Remastered"}


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to the module's database."""
    found = await connect(database, application="test-totals")
    yield found
    await found.close()


some = st.lists(st.integers(1, 4) | st.sampled_from([194, 9]), max_size=3, unique=True)
releases = st.builds(
    Dumped,
    id=st.integers(1, 7),
    title=st.sampled_from(["x", "y"]),
    master=st.sampled_from([None, 1, 2]),
    released=st.sampled_from([None, "1998", "1999", "1999-03", "1999-03-01", "1999-03-17", "2000"]),
    artists=some,
    labels=some,
    descriptions=st.lists(st.sampled_from(["LP", *REISSUES]), max_size=1),
)
dumps = st.tuples(
    st.integers(1, 3), st.lists(releases, max_size=7, unique_by=lambda one: one.id), st.booleans(), st.booleans()
)


@dataclass
class World:
    """What should be known: the newest word on each release, and since when it has to have been dumped to count."""

    said: dict[int, tuple[date, Dumped]] = field(default_factory=dict)
    complete: date = date.min

    def hear(self, day: date, dump: Iterable[Dumped], whole: bool) -> None:
        for one in dump:
            if one.id not in self.said or self.said[one.id][0] <= day:
                self.said[one.id] = day, one
        if whole:
            self.complete = max(self.complete, day)

    def counted(self) -> list[Dumped]:
        return [one for day, one in self.said.values() if day >= self.complete]

    def links(self) -> dict[str, set[tuple[int, int]]]:
        return {
            "label": {(label, one.id) for one in self.counted() for label in one.labels if label != 9},
            "artist": {(artist, one.id) for one in self.counted() for artist in one.artists if artist != 194},
        }

    def totals(self) -> dict[tuple[str, int], int]:
        members: dict[tuple[str, int], set[int]] = defaultdict(set)
        for label, release in self.links()["label"]:
            members["label", label].add(release)
        for artist, release in self.links()["artist"]:
            members["artist", artist].add(-(self.said[release][1].master or 0) or release)
        for one in self.counted():
            if one.master:
                members["master", one.master].add(one.id)
        return {key: len(several) for key, several in members.items()}

    def masters(self) -> dict[int, tuple[str | None, int]]:
        dated: dict[int, list[str]] = defaultdict(list)
        for _, one in self.said.values():
            if one.master:
                dated[one.master] += [one.released] if one.released else []
        return {
            master: (min(dates, key=lambda text: text.ljust(10, "~")) if dates else None, len(dates))
            for master, dates in dated.items()
        }

    def first_pressings(self) -> set[int]:
        found = set()
        for _, one in self.said.values():
            if one.master and one.released and not REISSUES & set(one.descriptions):
                earliest = self.masters()[one.master][0] or ""
                near = earliest.startswith(one.released) or one.released.startswith(earliest)
                found |= {one.id} if near and ("master", one.master) in self.totals() else set()
        return found


async def pairs(connection: asyncpg.Connection[Any], query: str) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in await connection.fetch(query)}


# Each example begins with an empty catalogue.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(dumps, min_size=1, max_size=4))
async def test_after_any_dumps(
    connection: asyncpg.Connection[Any], tmp_path: Path, all_dumps: list[tuple[int, list[Dumped], bool, bool]]
) -> None:
    await empty(connection)
    world = World()
    for number, dump, whole, split in all_dumps:
        day = date(2020, number, 1)
        parts = [dump[::2], dump[1::2]] if split else [dump]
        paths = [
            write(tmp_path / f"{at}.xml.gz", "release", [one.xml() for one in part]) for at, part in enumerate(parts)
        ]
        before = world.totals()
        summary = await load_now(connection, paths, day, whole=whole)
        world.hear(day, dump, whole)
        now = world.totals()
        assert summary.finished
        told = "select kind, id from load_total where load_id = (select max(load_id) from catalogue_load)"
        assert await pairs(connection, told) == {key for key, n in now.items() if key not in before or n < before[key]}

    for kind, links in world.links().items():
        assert await pairs(connection, f"select * from release_{kind}") == links  # noqa: S608
    found = await connection.fetch("select * from catalogue_total")
    assert {(row["kind"], row["id"]): row["total"] for row in found} == world.totals()
    # A total is as new as the newest dump that has something of it.
    newest: dict[tuple[str, int], date] = defaultdict(lambda: date.min)
    for dumped, one in world.said.values():
        for key in [*(("label", x) for x in one.labels), *(("artist", x) for x in one.artists), ("master", one.master)]:
            newest[key] = max(newest[key], dumped)  # type: ignore[index]
    assert all(row["as_of"] >= newest[row["kind"], row["id"]] for row in found)
    masters = {
        row[0]: tuple(row[1:]) for row in await connection.fetch("select master_id, earliest, dated from master")
    }
    assert masters == dict.fromkeys(masters, (None, 0)) | world.masters()
    first = await pairs(connection, "select release_id from release where first_pressing")
    assert first == {(one,) for one in world.first_pressings()}
    assert await connection.fetchval("select count(*) from load_touched") == 0

    rows = await versions(connection)
    await load_now(connection, paths, day, whole=whole)
    assert await versions(connection) == rows


@pytest.mark.parametrize("whole", [False, True])
async def test_nothing_is_no_total(connection: asyncpg.Connection[Any], tmp_path: Path, whole: bool) -> None:
    await empty(connection)
    one = Dumped(1, master=1, released="1999", artists=(2,), labels=(3,))
    await load_now(connection, [write(tmp_path / "a.xml", "release", [one.xml()])])
    assert await pairs(connection, "select release_id from release where first_pressing") == {(1,)}
    other = Dumped(2) if whole else Dumped(1)
    await load_now(connection, [write(tmp_path / "b.xml", "release", [other.xml()])], date(2021, 1, 1), whole=whole)
    assert await pairs(connection, "select * from catalogue_total") == set()
    assert await pairs(connection, "select release_id from release where first_pressing") == set()
