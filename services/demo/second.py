"""The second act: the catalogue is loaded, a collector of one label comes, the graph is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from services.cli.positions import observe
from services.demo import catalogue
from services.demo.http import LIST, Api
from services.demo.processes import Crew
from services.demo.screen import Screen
from services.demo.sending import send, sendables
from services.demo.watch import Watch
from services.demo.words import counted
from services.kafka import LogReader, Publisher
from services.settings import Settings
from services.stores.positions import Positions
from services.stores.postgres import Connection

SHOWN_MISSING: Final = 5
POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Second:
    """What the second act has to tell: `missing` as the API says it, `path` by name (empty without a graph of ours)."""

    piece: catalogue.Piece
    missing: dict[str, Any]
    path: list[str]
    circle: list[str]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the second and third act play on; `neo4j` waits until it answers, None: it is not ours and left alone."""

    options: Settings
    crew: Crew
    screen: Screen
    watch: Watch
    publisher: Publisher
    connection: Connection
    neo4j: Callable[[], Awaitable[str | None]]

    async def play(self) -> None:
        """From an empty catalogue to everything processed, published and measured.

        Raises:  NotInTime, ProcessEnded, NotSent.
        """
        url = await self.neo4j()
        arguments = ["--json"] if url else ["--json", "--without-graph"]
        if url:
            self.crew.know("GATEFOLD_NEO4J_URL", url)
        loading = self.crew.start("catalogue", "catalogue", "load", *map(str, catalogue.files()), *arguments, ends=(0,))
        await self.watch.until(lambda _: loading.child.poll() is not None, "the catalogue")
        known = catalogue.piece()
        self.screen.done(f"a piece of a real dump is loaded: {known.releases} releases of R & S Records, and more")
        if url:
            self.crew.start("graph", "graph")
        events = list(sendables(self.options.topic, catalogue.second_events()))
        self.watch.expect(len(events))
        await send(self.publisher, events, self.watch.sent)
        self.screen.done(f"{catalogue.COLLECTOR} has sent {counted(known.owned, 'releases')}, by their ids alone")
        await self.settled(with_graph=url is not None)
        self.screen.done("processed, told, published" + (", the graph of each collection measured" if url else ""))

    async def settled(self, *, with_graph: bool) -> None:
        """Whatever followed from what was sent is done: sweeps of owners, awards, measurements."""
        reader = LogReader(self.options.bootstrap)
        await reader.open()
        try:

            async def settled() -> Positions | None:
                await asyncio.sleep(POLL_SECONDS)
                found = await observe(self.options, self.connection, reader)
                done = found.done if with_graph else found.done_without_graph
                looked = await self.watch.look()
                return looked if done else None

            await self.watch.until_true(settled, "everything that followed")
        finally:
            await reader.close()


async def ask(api: Api, token: str) -> Second:
    """What the API says of the collector of one label."""
    query = f"context=label:{catalogue.LABEL}&limit={SHOWN_MISSING}"
    missing = await api.get(f"{LIST}/label-loyalist-platinum/missing?{query}", token)
    awards = (await api.get(f"{LIST}?limit=500", token)).body["achievements"]
    found = {one["id"]: one["evidence"] for one in awards}
    path: list[dict[str, Any]] = next((one["path"] for key, one in found.items() if key.startswith("six-degrees")), [])
    circle: list[dict[str, Any]] = next(
        (one["artists"] for key, one in found.items() if key.startswith("scene-builder")), []
    )
    return Second(
        catalogue.piece(),
        missing.body,
        [one["name"] for one in path],
        [one["name"] for one in circle],
    )
