"""What releases count as for some metrics alone: the past that dates a few badges counts what they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from services.state.facets import Counted, Counter

NOTHING: Final = Counted((), (), (), (), (), (), 0, 0, mono=False, deep_cut=False, title=None, bounded=())._asdict()
# The facets of a release that a metric reads; one that is not named may read them all.
READ: Final[Mapping[str, tuple[str, ...]]] = {
    "releases": (),
    "genres": ("genres",),
    "styles": ("styles",),
    "labels": ("labels",),
    "countries": ("countries",),
    "decades": ("year",),
    "largest_decade": ("year",),
    "oldest_age_years": ("year",),
    "mono_releases": ("mono",),
    "formats": ("formats",),
    "deep_cuts": ("deep_cut",),
    "first_pressings": (),
    "taste_dimensions": ("genres", "styles"),
    "pressings": ("master", "title"),
    "label_coverage": ("labels",),
    "artist_coverage": ("artists", "master"),
    "reviews": (),
    "edits": (),
    "wishlist": (),
    "compares": (),
    "years_since_join": (),
    "hops": (),
    "cluster_artists": (),
}


class Narrowed(Counter):
    """A counter without the facets that none of these metrics reads, and with a memory of its own."""

    def __init__(self, counter: Counter, metrics: Iterable[str], most: int = 10_000) -> None:
        super().__init__(counter._facet_id, most)
        self._counter = counter
        self._read = frozenset(facet for metric in metrics for facet in READ.get(metric, NOTHING))
        self._left_out = {facet: nothing for facet, nothing in NOTHING.items() if facet not in self._read}

    def _count(self, content: bytes) -> Counted:
        counted = self._counter(content)
        bounded = tuple(pair for pair in counted.bounded if pair[0] in self._read)
        return counted._replace(**self._left_out | {"bounded": bounded})
