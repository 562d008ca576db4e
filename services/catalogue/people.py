"""Who is joined by a release in the graph of collaborators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# "Various", "Unknown Artist" and "No Artist" would join everybody with everybody; 0 is nobody.
VARIOUS: Final = 194
HUBS: Final = frozenset({0, VARIOUS, 355, 118760})
# More than these did not work together: a sampler, an orchestra's list of members.
MOST: Final = 30


def joined(artists: Iterable[int], credited: Iterable[int]) -> list[int] | None:
    """The artists that a release joins, rising; None where these are fewer than two.

    Shape:   `artists` are the main artists, `credited` whoever else performed, produced or wrote.
    """
    billed = set(artists) - HUBS
    everybody = (billed | set(credited)) - HUBS
    if len(everybody) > MOST:
        everybody = billed
    return sorted(everybody) if 2 <= len(everybody) <= MOST else None


def is_compilation(artists: Iterable[int], descriptions: Iterable[str]) -> bool:
    """Whether the tracks are by people who did not work together."""
    return VARIOUS in artists or "Compilation" in descriptions
