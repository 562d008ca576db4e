"""The brake: a flood of dead letters is a bad deploy, of ours or of a producer's, and must not drain the topics."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from services import metrics
from services.logs import logger

log = logger(__name__)

WINDOW: Final = 1_000


class Flood(Exception):
    """Dead letters within a bundle are enough to pull the brake: the first `taken` records may still be applied."""

    def __init__(self, taken: int) -> None:
        super().__init__(f"the brake trips within the bundle, at record {taken}")
        self.taken = taken


class Brake:
    """Watches what becomes of records, and says when to stop: `why` is set from then on.

    Units:   `in_a_row` dead letters, or more than `percent` of the last WINDOW records.
    """

    def __init__(self, in_a_row: int = 50, percent: float = 5.0) -> None:
        self._most_in_a_row = in_a_row
        self._most_in_window = percent * WINDOW / 100
        self.why: str | None = None
        self._seen = self._in_a_row = 0
        self._dead: deque[int] = deque()  # which of the records seen were dead, as far as the window goes back

    def check(self, dead: Sequence[int], count: int) -> None:
        """Whether a bundle of `count` records, those at these positions dead, may be applied as a whole.

        Raises:  Flood where the brake would trip before its last record.
        """
        if dead and (found := self._trip(dead, deque(self._dead))) and found[0] + 1 < count:
            raise Flood(found[0] + 1)

    def note(self, dead: Sequence[int], count: int) -> None:
        """Count what became of `count` records, those at these positions dead; may pull the brake."""
        found = self._trip(dead, self._dead) if dead else None
        tail = 0
        while tail < len(dead) and dead[-1 - tail] == count - 1 - tail:
            tail += 1
        self._in_a_row = self._in_a_row + tail if tail == count else tail
        self._seen += count
        if found is not None:
            self.pull(found[1])

    def pull(self, why: str) -> None:
        """Stop."""
        if self.why is None:
            self.why = why
            metrics.BRAKE.set(1)
            log.critical("the brake is on: nothing is consumed until `gatefold worker resume` or a deploy", why=why)

    def release(self) -> None:
        """Go on, with nothing held against what comes."""
        self.why = None
        self._seen = self._in_a_row = 0
        self._dead.clear()
        metrics.BRAKE.set(0)
        log.warning("the brake is lifted")

    def _trip(self, dead: Sequence[int], window: deque[int]) -> tuple[int, str] | None:
        """Where and why the brake trips; the window is moved on."""
        in_a_row, last = self._in_a_row, -1
        found = None
        for at in dead:
            in_a_row = in_a_row + 1 if at == last + 1 else 1
            last = at
            place = self._seen + at
            window.append(place)
            while window[0] <= place - WINDOW:
                window.popleft()
            if found is None and in_a_row >= self._most_in_a_row:
                found = at, f"{in_a_row} dead letters in a row"
            if found is None and place + 1 >= WINDOW and len(window) > self._most_in_window:
                found = at, f"{len(window)} dead letters among the last {WINDOW} records"
        return found
