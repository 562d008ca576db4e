"""The measure of a graph, against a breadth-first search from everybody."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graph.measure import EXACT_ARTISTS, MATRIX_ARTISTS, Shape, measure
from tests.model.graphs import Pairs, distances, expected, is_a_path, neighbours

# Some seeds and shapes are enough where one search a node is made; elsewhere Hypothesis looks for the odd ones.
sizes = st.integers(0, 16)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], Pairs]:
    """Some artists with ids far apart, and who worked with whom; long and thin ones among them."""
    ids = sorted(draw(st.sets(st.integers(1, 2**40), max_size=14)))
    pairs: Pairs = set(pairwise(ids[: draw(sizes)]))
    if len(ids) > 1:
        chosen = st.tuples(st.sampled_from(ids), st.sampled_from(ids)).filter(lambda pair: pair[0] < pair[1])
        pairs |= draw(st.sets(chosen, max_size=20))
    return ids, pairs


def measured(ids: list[int], pairs: Pairs, **limits: int) -> Shape:
    edges = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return measure(np.array(sorted(ids), dtype=np.int64), edges, **limits)


@given(graphs(), st.sampled_from((0, 3, MATRIX_ARTISTS)))
def test_equals_a_search_from_everybody(graph: tuple[list[int], Pairs], matrix_artists: int) -> None:
    """Both ways of finding the longest path, one for small components and one for large ones."""
    ids, pairs = graph
    shape = measured(ids, pairs, matrix_artists=matrix_artists)
    hops, path, cluster, best = expected(ids, pairs)
    assert (shape.hops, shape.exact, list(shape.path)) == (hops, True, path)
    assert (shape.cluster_artists, list(shape.best)) == (cluster, best)


@given(graphs(), st.integers(0, 6))
def test_what_a_search_that_ends_early_says_is_true(graph: tuple[list[int], Pairs], sweeps: int) -> None:
    ids, pairs = graph
    shape = measured(ids, pairs, exact_artists=0, matrix_artists=0, most_sweeps=sweeps)
    hops, _, cluster, best = expected(ids, pairs)
    assert shape.hops == hops if shape.exact else shape.hops <= hops
    assert (shape.cluster_artists, list(shape.best)) == (cluster, best), "clusters are always exact"
    if shape.hops:
        assert is_a_path(shape.path, pairs)
        reach = distances(shape.path[0], neighbours(ids, pairs))
        assert reach[shape.path[-1]] == shape.hops == len(shape.path) - 1, "a shortest path of its length exists"


def small_world(artists: int, seed: int) -> Pairs:
    """Scenes of neighbours, and a few people who work everywhere."""
    dice = random.Random(seed)
    pairs: Pairs = set()
    for _ in range(artists):
        centre = dice.randrange(artists)
        people = {min(artists, max(1, int(dice.gauss(centre, 9)))) for _ in range(dice.choice((2, 2, 3, 5)))}
        people |= {dice.randrange(1, artists)} if dice.random() < 0.02 else set()
        pairs |= {(low, high) for low in people for high in people if low < high}
    return pairs


@pytest.mark.parametrize(("artists", "seed"), [(300, 1), (900, 2)])
def test_a_collection_as_large_as_some_are(artists: int, seed: int) -> None:
    ids, pairs = list(range(1, artists + 1)), small_world(artists, seed)
    wanted = expected(ids, pairs)
    for matrix_artists in (0, MATRIX_ARTISTS):
        shape = measured(ids, pairs, matrix_artists=matrix_artists)
        assert (shape.hops, list(shape.path), shape.cluster_artists, list(shape.best)) == wanted


def test_beyond_the_bound_what_can_be_shown_cheaply_is_exact() -> None:
    artists = EXACT_ARTISTS + 500
    ids, pairs = list(range(1, artists + 1)), small_world(artists, 3)
    shape = measured(ids, pairs)
    assert shape.exact
    assert measured(ids, pairs, exact_artists=artists).path == shape.path
    assert is_a_path(shape.path, pairs)


def test_beyond_the_bound_a_graph_that_hides_its_length_is_measured_from_below() -> None:
    """A ring: nobody's reach says anything of the others', so only a search from everybody would show the most."""
    artists = EXACT_ARTISTS + 1
    ids = list(range(1, artists + 1))
    pairs = {*pairwise(ids), (1, artists)}
    shape = measured(ids, pairs, most_sweeps=20)
    assert (shape.hops, shape.exact, shape.cluster_artists) == (artists // 2, False, artists)
    assert is_a_path(shape.path, pairs)
    assert len(set(shape.path)) == artists // 2 + 1
