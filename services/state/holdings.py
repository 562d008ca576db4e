"""What a user owns: copies, and per release what is counted and what was said; last writer wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from services.state.collector import Collector
from services.state.facets import Counter
from services.state.facts import NOTHING, Facts, Stamp, Statement, facts_of, merge

EMPTY: Final = NOTHING.content


@dataclass(slots=True)
class Copy:
    """One physical item: which release, or a tombstone; `stamp` of the event that said so."""

    release_id: int | None
    present: bool
    stamp: Stamp


@dataclass(slots=True, eq=False)
class Holding:
    """One release of one user.

    Shape:   `counted` is the content that the counters hold for it; None while no copy is owned. `statement` is what
             the user's own events said; it stays when the last copy goes.
    """

    release_id: int
    copies: int = 0
    counted: bytes | None = None
    statement: Statement = field(default_factory=Statement)

    def facts(self) -> Facts | None:
        """The facts that are counted; None while no copy is owned."""
        return None if self.counted is None else facts_of(self.counted)

    def due(self, catalogue: Facts | None) -> bytes | None:
        """The content that should be counted: the catalogue's word before the user's; None without a copy."""
        return merge(catalogue, self.statement.facts).content if self.copies else None


def recount(holding: Holding, collector: Collector, catalogue: Facts | None, counter: Counter) -> bool:
    """Make the counters hold what is due for this release; answers whether anything moved.

    Raises:  ValueError where the counters contradict what they were said to hold.
    """
    due = holding.due(catalogue)
    if due == holding.counted:
        return False
    if holding.counted is not None:
        collector.count(counter(holding.counted), -1)
    if due is not None:
        collector.count(counter(due), 1)
    holding.counted = due
    return True


def in_memory(holdings: Iterable[Holding]) -> dict[int, tuple[str | None, int | None] | None]:
    """Title and pressing year of each release that is counted, None for the others."""
    found: dict[int, tuple[str | None, int | None] | None] = {}
    for holding in holdings:
        facts = holding.facts()
        found[holding.release_id] = None if facts is None else (facts.title, facts.pressing_year())
    return found
