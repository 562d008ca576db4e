"""What is known of the graph of a user's artists: the two numbers, and what evidence names beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

HOPS: Final = "hops"
CLUSTER: Final = "cluster_artists"
METRICS: Final = (HOPS, CLUSTER)
HUBS: Final = frozenset({194, 355, 118760})  # Various, Unknown Artist, No Artist: they would join everything


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement of the induced graph; `evidence` holds for each metric what its badges say beside the number."""

    hops: int
    cluster_artists: int
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def value(self, metric: str) -> int:
        """The number of one of METRICS."""
        return self.hops if metric == HOPS else self.cluster_artists
