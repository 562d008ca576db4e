"""How an event moves one user's numbers, item by item: which of them crossed a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from services.state.collector import Collector, Key


class Steps(msgspec.Struct):
    """How an event moved one user's numbers, item by item.

    Shape:   `counters[i]` and `moved[i]` (length of the collector's `moved`) stand before item i; the last entries
             stand after the whole event. `items` are what `name` names in evidence: release id and title.
    """

    name: Callable[[Any], dict[str, Any]]
    items: list[Any] = []
    counters: list[dict[str, int]] = []
    moved: list[int] = []

    def mark(self, collector: Collector) -> None:
        """Note where the numbers stand now."""
        self.counters.append(collector.counters.copy())
        self.moved.append(len(collector.moved))

    def crossing(self, value: Callable[[dict[str, int]], int], target: int) -> dict[str, Any] | None:
        """The last item at which the number came from below the target to it; None where no item did that."""
        for at in range(len(self.items) - 1, -1, -1):
            if value(self.counters[at]) < target <= value(self.counters[at + 1]):
                return self.name(self.items[at])
        return None

    def crossing_of(self, collector: Collector, key: Key, target: int) -> dict[str, Any] | None:
        """The same for what is counted of a master, a label or an artist."""
        for at in range(len(self.items) - 1, -1, -1):
            moved = [one for one in collector.moved[self.moved[at] : self.moved[at + 1]] if one[0] == key]
            if moved and collector.measured(key, moved[0][1]) < target <= collector.measured(key, moved[-1][2]):
                return self.name(self.items[at])
        return None
