"""A collection's graph measured as the lane does it, beside rustworkx alone on the same graph."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Final

import numpy as np
import rustworkx as rx

from bench.plan import Engines, Scale, Steps
from bench.results import Result
from services.graph.measure import EXACT_ARTISTS, Ids, measure
from services.graph.pool import Pool

SIZES: Final = (1_000, EXACT_ARTISTS)
ROUNDS: Final = 15


async def graph(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Without any engine: milliseconds from ids and pairs to hops, path and cluster, in the lane's own processes."""
    found = []
    steps.begin("graph", len(SIZES))
    pool = Pool(1)
    try:
        for artists in SIZES:
            ids, edges = scenes(artists)
            await pool.measure(ids, edges)  # the process is started with the lane, not with each collection
            ours, alone, away = [], [], []
            for _ in range(ROUNDS):  # in turn, so that a busy moment meets all of them
                alone.append(_milliseconds(_alone(ids, edges)))
                ours.append(_milliseconds(lambda ids=ids, edges=edges: measure(ids, edges)))  # type: ignore[misc]
                begin = time.perf_counter()
                await pool.measure(ids, edges)
                away.append((time.perf_counter() - begin) * 1000)
            shape = measure(ids, edges)
            note = f"{len(edges):,} collaborations, {shape.hops} hops; in the same process {median(ours):.1f} ms"
            found.append(Result(f"a graph of {artists:,} artists", "ms", median(away), median(alone), "<=", 2.0, note))
            steps.done(f"{artists:,} artists: {median(away):.1f} ms, rustworkx alone {median(alone):.1f} ms")
    finally:
        await asyncio.to_thread(pool.close)
    return found


def scenes(artists: int, seed: int = 5) -> tuple[Ids, Ids]:
    """Collaborations like those of a collection: scenes of neighbours, a few people who work everywhere."""
    dice = random.Random(seed)
    pairs: set[tuple[int, int]] = set()
    for _ in range(artists):
        centre = dice.randrange(artists)
        people = {min(artists - 1, max(0, int(dice.gauss(centre, 10)))) for _ in range(dice.choice((2, 2, 3, 4, 6)))}
        if dice.random() < 0.03:
            people.add(dice.randrange(artists))
        pairs |= {(low, high) for low in people for high in people if low < high}
    # Ids of artists lie far apart.
    ids = np.arange(artists, dtype=np.int64) * 977 + 1_000
    return ids, ids[np.array(sorted(pairs), dtype=np.int64)]


def _alone(ids: Ids, edges: Ids) -> Callable[[], object]:
    """What the numbers cost in rustworkx, on a graph that is there already: all distances and the components."""
    made: rx.PyGraph[None, None] = rx.PyGraph(multigraph=False)
    made.add_nodes_from([None] * len(ids))
    made.add_edges_from_no_data([(low, high) for low, high in np.searchsorted(ids, edges).tolist()])

    def ask() -> object:
        return rx.distance_matrix(made).max(), rx.connected_components(made)

    return ask


def _milliseconds(question: Callable[[], object]) -> float:
    begin = time.perf_counter()
    question()
    return (time.perf_counter() - begin) * 1000
