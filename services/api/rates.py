"""How often one address, or one user, may ask: counted in this process, in bounded memory."""

from __future__ import annotations

import time
from math import ceil
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from services.api.problems import TOO_MANY, Problem

MOST_KEYS: Final = 100_000


class Counters(Storage):
    """Counts that end with their window.

    The library's own storage looks through all of its keys every 10 ms; this one looks when it is full. Where it is
    full of windows that still run, somebody uses more addresses than we can count: it then begins anew.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._most = most
        self._counts: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """One more, in a new window where the former one is over."""
        now = time.monotonic()
        count, end = self._counts.get(key, (0, 0.0))
        if end <= now:
            if len(self._counts) >= self._most:
                self._make_room(now)
            count, end = 0, now + expiry
        self._counts[key] = count + amount, end
        return count + amount

    def get(self, key: str) -> int:
        """How many in the window that runs."""
        count, end = self._counts.get(key, (0, 0.0))
        return count if end > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, by the clock that nobody sets."""
        return self._counts.get(key, (0, time.monotonic()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        number = len(self._counts)
        self._counts.clear()
        return number

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)

    def _make_room(self, now: float) -> None:
        self._counts = {key: counted for key, counted in self._counts.items() if counted[1] > now}
        if len(self._counts) >= self._most:
            self._counts.clear()


class Rate:
    """One limit, as `600/minute`; an empty text is none.

    Raises:  ValueError for a text that is no rate.
    """

    def __init__(self, text: str, whose: str) -> None:
        self._item: RateLimitItem | None = parse(text) if text else None
        self._whose = whose
        self._limiter = FixedWindowRateLimiter(Counters())

    def check(self, who: str) -> None:
        """Count a request.

        Raises:  Problem 429 with the seconds until the next one will do.
        """
        if self._item is None or self._limiter.hit(self._item, who):
            return
        wait = max(1, ceil(self._limiter.get_window_stats(self._item, who).reset_time - time.monotonic()))
        raise Problem(TOO_MANY, f"More than {self._item} for one {self._whose}.", {"Retry-After": str(wait)})
