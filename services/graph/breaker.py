"""The breaker in front of Neo4j: after a few failures in a row nobody asks it but a probe now and then."""

from __future__ import annotations

import random
from typing import Final

from services import metrics

FAILURES: Final = 3
PROBE_SECONDS: Final = (0.5, 5.0)


class Breaker:
    """Closed while Neo4j answers; open after FAILURES in a row, until a probe succeeds.

    Units:   times are those of one monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._probe_at = 0.0
        self.why: str | None = None
        metrics.GRAPH_BREAKER.set(0)

    @property
    def is_open(self) -> bool:
        """Whether Neo4j is left alone."""
        return self.why is not None

    def probe_in(self, now: float) -> float:
        """Seconds until the next probe; 0 when it is time."""
        return max(0.0, self._probe_at - now)

    def failed(self, now: float, reason: str) -> bool:
        """Note a failure; answers whether it opened the breaker just now."""
        self._failures += 1
        if self._failures < FAILURES:
            return False
        opened = not self.is_open
        self.why = reason
        shortest, longest = PROBE_SECONDS
        pause = min(longest, shortest * 2.0 ** min(self._failures - FAILURES, 16))
        self._probe_at = now + random.uniform(0.5, 1.0) * pause
        metrics.GRAPH_BREAKER.set(1)
        return opened

    def answered(self) -> bool:
        """Note an answer; answers whether it closed the breaker just now."""
        closed = self.is_open
        self._failures, self.why = 0, None
        metrics.GRAPH_BREAKER.set(0)
        return closed
