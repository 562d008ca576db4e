"""What a user owns: copies, and per release what is counted and what was said; last writer wins."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from services.state.collector import Collector
from services.state.facets import Counter
from services.state.facts import NOTHING, Facts, Stamp, Statement, facts_of, merge

EMPTY: Final = NOTHING.content


class Copy(msgspec.Struct):
    """One physical item: which release, or a tombstone; `stamp` and `added_on` are what the event says that said so."""

    release_id: int | None
    present: bool
    stamp: Stamp
    added_on: date | None = None


class Entry(msgspec.Struct):
    """What the catalogue says of a release; `first_pressing`: nothing of its master is known to be earlier."""

    statement: Statement = msgspec.field(default_factory=Statement)
    first_pressing: bool = False


class Holding(msgspec.Struct, eq=False):
    """One release of one user.

    Shape:   `counted` is the content that the counters hold for it, None while no copy is owned, and `first_pressing`
             whether they hold it as one. `statement` is what the user's own events said; it stays when no copy is left.
    """

    release_id: int
    copies: int = 0
    counted: bytes | None = None
    first_pressing: bool = False
    statement: Statement = msgspec.field(default_factory=Statement)

    def facts(self) -> Facts | None:
        """The facts that are counted; None while no copy is owned."""
        return None if self.counted is None else facts_of(self.counted)

    def due(self, entry: Entry | None) -> tuple[bytes | None, bool]:
        """What should be counted, the catalogue's word before the user's, and whether as a first pressing."""
        if not self.copies:
            return None, False
        if entry is None:
            return merge(None, self.statement.facts).content, False
        return merge(entry.statement.facts, self.statement.facts).content, entry.first_pressing


def recount(holding: Holding, collector: Collector, entry: Entry | None, counter: Counter) -> bool:
    """Make the counters hold what is due for this release; answers whether anything moved.

    Raises:  ValueError where the counters contradict what they were said to hold.
    """
    due, first = holding.due(entry)
    if due == holding.counted and first == holding.first_pressing:
        return False
    if holding.counted is not None:
        collector.count(counter(holding.counted), -1, holding.first_pressing)
    if due is not None:
        collector.count(counter(due), 1, first)
    holding.counted, holding.first_pressing = due, first
    return True
