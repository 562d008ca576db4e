"""The graph in Neo4j: one typed function for each statement of graph.cypher.

Shape:   `(:Artist {id, name})` and `(lower id)-[:COLLABORATED_WITH]->(higher id)`, each pair once; both carry the
         number of the rebuild that saw them last. `(:Graph)` says which rebuild was the last to come to its end.
Raises:  server.Away where Neo4j is away or takes longer than it may.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import neo4j
import numpy as np

from services.graph.measure import Ids
from services.graph.server import Away, is_away, reason

_NAME: Final = re.compile(r"^// name: ([a-z_]+)\n", re.MULTILINE)
BATCH: Final = 5_000  # rows in one transaction of a rebuild


@dataclass(frozen=True, slots=True)
class Induced:
    """The collaborations between some artists: n × 2 ids, and the date of the catalogue they are from."""

    edges: Ids
    as_of: date


@dataclass(frozen=True, slots=True)
class State:
    """Which rebuild was the last to begin and to end; None: none ever did."""

    begun: int | None = None
    finished: int | None = None
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How large the graph is."""

    artists: int
    edges: int


@cache
def statements() -> Mapping[str, str]:
    """The statements by name."""
    parts = _NAME.split((files("services.graph") / "graph.cypher").read_text(encoding="utf-8"))
    return MappingProxyType(dict(zip(parts[1::2], (body.strip() for body in parts[2::2]), strict=True)))


class Graph:
    """Neo4j, asked with a time-out; `seconds` None waits for as long as it takes."""

    def __init__(self, driver: neo4j.AsyncDriver, seconds: float | None = None) -> None:
        self._driver = driver
        self._seconds = seconds

    async def prepare(self) -> None:
        """Declare what is unique; does nothing the second time."""
        await self._run("unique_artist")
        await self._run("unique_graph")

    async def begin(self) -> int:
        """Begin a rebuild; answers its number."""
        return int((await self._run("begin"))[0]["rebuild"])

    async def merge_artists(self, rows: Sequence[Sequence[Any]], rebuild: int) -> None:
        """Have these artists, (id, name) each."""
        await self._run("merge_artists", rows=[list(row) for row in rows], rebuild=rebuild)

    async def merge_edges(self, rows: Sequence[Sequence[int]], rebuild: int) -> None:
        """Have these collaborations, (lower id, higher id) each, between artists that are there."""
        await self._run("merge_edges", rows=[list(row) for row in rows], rebuild=rebuild)

    async def drop_unseen(self, rebuild: int) -> tuple[int, int]:
        """Remove what the rebuild did not see; answers how many artists and collaborations went."""
        edges = (await self._run("drop_edges", rebuild=rebuild))[0]["gone"]
        artists = (await self._run("drop_artists", rebuild=rebuild))[0]["gone"]
        return artists, edges

    async def finish(self, rebuild: int, as_of: date) -> None:
        """Say that the rebuild came to its end."""
        await self._run("finish", rebuild=rebuild, as_of=as_of.isoformat())

    async def state(self) -> State:
        """Which rebuild the graph is of; also the question whether Neo4j answers."""
        for row in await self._run("state", read=True):
            as_of = row["as_of"]
            return State(row["begun"], row["finished"], None if as_of is None else date.fromisoformat(as_of))
        return State()

    async def size(self) -> Size:
        """How many artists and collaborations there are."""
        row = (await self._run("count", read=True))[0]
        return Size(row["artists"], row["edges"])

    async def induced(self, ids: Sequence[int]) -> Induced | None:
        """All collaborations between these artists, in one query; None where no rebuild ever came to its end."""
        for row in await self._run("induced", read=True, ids=list(ids)):
            lows, highs = (np.array(row[name], dtype=np.int64) for name in ("lows", "highs"))
            return Induced(np.column_stack((lows, highs)), date.fromisoformat(row["as_of"]))
        return None

    async def _run(self, name: str, *, read: bool = False, **parameters: Any) -> list[neo4j.Record]:
        query = neo4j.Query(statements()[name], timeout=self._seconds)
        access = neo4j.READ_ACCESS if read else neo4j.WRITE_ACCESS
        try:
            # The server's own time-out comes first; ours is for a server that does not answer at all.
            async with asyncio.timeout(None if self._seconds is None else self._seconds + 1):
                async with self._driver.session(default_access_mode=access) as session:
                    result = await session.run(query, parameters)
                    return [record async for record in result]
        except Exception as error:
            if is_away(error):
                raise Away(reason(error)) from error
            raise
