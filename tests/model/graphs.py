"""Graphs of collaborators as plainly as they can be written: who worked with whom, and a breadth-first search each.

Shape:   `releases` are release id -> people, `members` group -> members; ids of artists everywhere.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from services.stores.postgres import Connection

HUBS = {194, 355, 118760}
Pairs = set[tuple[int, int]]


def pairs_of(releases: Mapping[int, Sequence[int]], members: Mapping[int, Sequence[int]]) -> Pairs:
    """Every two people of one release, every group with each of its members; lower id first, hubs never."""
    found = [tuple(sorted(pair)) for people in releases.values() for pair in combinations(people, 2)]
    found += [tuple(sorted((group, one))) for group, them in members.items() for one in them]
    return {(low, high) for low, high in found if low != high and not {low, high} & HUBS}


def neighbours(ids: Iterable[int], pairs: Pairs) -> dict[int, set[int]]:
    """Whom each of these artists worked with, of these artists."""
    found: dict[int, set[int]] = {one: set() for one in ids}
    for low, high in pairs:
        if low in found and high in found:
            found[low].add(high)
            found[high].add(low)
    return found


def distances(start: int, near: Mapping[int, set[int]]) -> dict[int, int]:
    """Hops from one artist to all that can be reached."""
    found, queue = {start: 0}, deque([start])
    while queue:
        one = queue.popleft()
        for other in near[one] - found.keys():
            found[other] = found[one] + 1
            queue.append(other)
    return found


def expected(ids: Iterable[int], pairs: Pairs) -> tuple[int, list[int], int, list[tuple[int, int]]]:
    """Hops, path, size of the largest cluster, its ten best connected artists with their connections."""
    near = neighbours(ids, pairs)
    far = {one: distances(one, near) for one in near}
    hops = max((max(reach.values()) for reach in far.values()), default=0)
    path: list[int] = []
    if hops:
        start = min(one for one, reach in far.items() if max(reach.values()) == hops)
        path = min(_shortest(start, end, far[start], near) for end, at in far[start].items() if at == hops)
    clusters = sorted((sorted(reach) for reach in far.values()), key=lambda one: (-len(one), one))
    best = sorted(((one, len(near[one])) for one in (clusters or [[]])[0]), key=lambda one: (-one[1], one[0]))
    return hops, path, len((clusters or [[]])[0]), best[:10]


def _shortest(start: int, end: int, far: Mapping[int, int], near: Mapping[int, set[int]]) -> list[int]:
    """Of the shortest paths between two artists the one that sorts first."""
    paths = [[end]]
    while paths[0][0] != start:
        paths = [[one, *path] for path in paths for one in near[path[0]] if far.get(one) == far[path[0]] - 1]
    return min(paths)


def is_a_path(path: Sequence[int], pairs: Pairs) -> bool:
    """Whether each two neighbours on it worked together."""
    return all(tuple(sorted(step)) in pairs for step in pairwise(path))


def chain(length: int, first: int = 1000) -> dict[int, list[int]]:
    """Releases that join artists in a row, `length` hops long: release n joins the n-th artist to the next."""
    return {first + n: [first + n, first + n + 1] for n in range(length)}


async def catalogue(
    connection: Connection,
    releases: Mapping[int, Sequence[int]],
    members: Mapping[int, Sequence[int]] | None = None,
) -> None:
    """Have a catalogue of these releases and groups and of nothing else, as a loaded dump would leave it."""
    members = members or {}
    await connection.execute("delete from release; delete from artist; delete from catalogue_load")
    await connection.executemany(
        "insert into release (release_id, facts_id, stated_at, by_id, by_source, people)"
        " values ($1, 0, now(), 'dump', '/dump', $2)",
        [(release, sorted(set(people))) for release, people in releases.items()],
    )
    known = {one for people in releases.values() for one in people} | members.keys()
    known |= {one for them in members.values() for one in them}
    await connection.executemany(
        "insert into artist (artist_id, name, members) values ($1, $2, $3)",
        [(one, f"Artist {one}", list(members.get(one, ()))) for one in sorted(known)],
    )
    await connection.execute("insert into catalogue_load (as_of, finished_at) values ('2026-02-01', now())")
