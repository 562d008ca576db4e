"""The graph that a collection's artists induce, measured: the longest shortest path, and the largest cluster.

Shape:   artists by id, collaborations as pairs of them; whoever has none is a component of one.
Units:   hops are collaborations on the path: two artists of one release are one hop apart.
Raises:  nothing. All of it is a function of the arguments: ties are broken by ids.

The path begins at the smallest id that any longest shortest path begins at, and is of those the lexicographically
smallest. Beyond EXACT_ARTISTS the search may end early: what it has by then is a shortest path all the same, so its
length is reached for certain, and `exact` is false. Components are always exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import rustworkx as rx
from numpy.typing import NDArray

EXACT_ARTISTS: Final = 5_000
MATRIX_ARTISTS: Final = 1_500  # up to here all distances at once are quicker, and 18 MB
MOST_SWEEPS: Final = 400  # searches from one artist, beyond EXACT_ARTISTS
BEST: Final = 10  # artists of the cluster that are named

Ids = NDArray[np.int64]
Distances = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """What was measured.

    Shape:   `path` are the ids along the longest shortest path, empty where it has no hop; `best` are ids and numbers
             of collaborations of the best connected artists of the largest cluster (of several the one with the
             smallest id), most first, then by id.
    """

    hops: int
    exact: bool
    path: tuple[int, ...]
    cluster_artists: int
    best: tuple[tuple[int, int], ...]


class _Effort:
    """How many searches may still be made."""

    def __init__(self, most: int | None) -> None:
        self._left = most

    def spend(self) -> bool:
        """Whether one more may be made."""
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0


def measure(
    ids: Ids,
    edges: Ids,
    *,
    exact_artists: int = EXACT_ARTISTS,
    matrix_artists: int = MATRIX_ARTISTS,
    most_sweeps: int = MOST_SWEEPS,
) -> Shape:
    """Measure the graph of these artists.

    Shape:   `ids` rising, each once; `edges` n × 2, both ends among `ids`.
    """
    if not len(ids):
        return Shape(0, True, (), 0, ())
    graph: rx.PyGraph[None, None] = rx.PyGraph(multigraph=False)
    graph.add_nodes_from([None] * len(ids))
    ends = np.searchsorted(ids, edges).tolist()
    graph.add_edges_from_no_data([(low, high) for low, high in ends if low != high])
    components = sorted((sorted(one) for one in rx.connected_components(graph)), key=lambda one: (-len(one), one[0]))
    effort = _Effort(None if len(ids) <= exact_artists else most_sweeps)
    hops, start, exact = 0, 0, True
    for nodes in components:
        # It has to be longer than what was found, or as long with a smaller start.
        if len(nodes) - 1 < max(hops, 1):
            break
        few = len(nodes) <= matrix_artists
        found, at, sure = _by_matrix(graph, nodes) if few else _by_sweeps(graph, nodes, effort)
        exact &= sure
        if found > hops or (found == hops and at < start):
            hops, start = found, at
    largest = components[0]
    degrees = sorted((-graph.degree(node), node) for node in largest)[:BEST]
    return Shape(
        hops,
        exact,
        tuple(int(ids[node]) for node in _path(graph, start, hops)) if hops else (),
        len(largest),
        tuple((int(ids[node]), -degree) for degree, node in degrees),
    )


def _by_matrix(graph: rx.PyGraph[None, None], nodes: Sequence[int]) -> tuple[int, int, bool]:
    """The diameter of a component and the smallest node that is so far from another, from all distances."""
    part = graph if len(nodes) == graph.num_nodes() else graph.subgraph(list(nodes))
    furthest = rx.distance_matrix(part).max(axis=1)
    at = int(furthest.argmax())  # the first of several; `nodes` rise, and a subgraph keeps their order
    return int(furthest[at]), nodes[at], True


def _by_sweeps(graph: rx.PyGraph[None, None], nodes: Sequence[int], effort: _Effort) -> tuple[int, int, bool]:
    """The same with one search from one node after the other, each of which bounds what all others can reach.

    Of a node at distance d from one that reaches e: it reaches max(d, e - d) at least and e + d at most. Searches go on
    where the most is possible and where the least is, in turn, until nobody can reach further than was reached.
    """
    places = np.asarray(nodes)
    least = np.zeros(len(nodes), dtype=np.int64)
    most = np.full(len(nodes), len(nodes), dtype=np.int64)
    searched = np.zeros(len(nodes), dtype=bool)
    best = 0

    def search(at: int) -> None:
        nonlocal best
        distances = _distances(graph, nodes[at])[places]
        reach = int(distances.max())
        np.maximum(least, np.maximum(distances, reach - distances), out=least)
        np.minimum(most, reach + distances, out=most)
        least[at] = most[at] = reach
        searched[at] = True
        best = max(best, reach)

    high = True
    while (open_ := (most > best) & ~searched).any():
        if not effort.spend():
            break
        # The first of several; where it is the least, the one that reaches least: from the middle bounds are best.
        search(int(np.where(open_, most, -1).argmax() if high else np.where(open_, least, len(nodes)).argmin()))
        high = not high
    else:
        # All that can be the start, smallest first; a bound from below may say it without a search.
        for at in np.flatnonzero(most >= best).tolist():
            if least[at] < best <= most[at] and not searched[at]:
                if not effort.spend():
                    break
                search(at)
            if least[at] == best:
                return best, nodes[at], True
        at = int(np.flatnonzero(least == best)[0])
        return best, nodes[at], True
    return best, nodes[int(np.flatnonzero(least == best)[0])], False


def _distances(graph: rx.PyGraph[None, None], node: int) -> Distances:
    """Hops from a node to all others, 0 where there is no way."""
    found = np.zeros(graph.num_nodes(), dtype=np.int64)
    for far, layer in enumerate(rx.bfs_layers(graph, [node])):
        found[layer] = far
    return found


def _path(graph: rx.PyGraph[None, None], start: int, hops: int) -> list[int]:
    """Of all shortest paths from `start` to a node `hops` away, the one with the smallest nodes, first ones first."""
    layers = [set(layer) for layer in rx.bfs_layers(graph, [start])]
    # Layer by layer backwards: from which nodes a last one is still reached.
    leading = layers[hops]
    steps = [leading]
    for layer in reversed(layers[1:hops]):
        leading = {near for node in leading for near in graph.neighbors(node) if near in layer}
        steps.append(leading)
    path = [start]
    for candidates in reversed(steps):
        path.append(min(near for near in graph.neighbors(path[-1]) if near in candidates))
    return path
