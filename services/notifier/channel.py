"""Ways to deliver a notice, and what can become of an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.notifier.notice import Notice


@dataclass(frozen=True, slots=True)
class Sent:
    """It was taken."""


@dataclass(frozen=True, slots=True)
class Later:
    """It was not taken, and may be another time; not before so many seconds, where the other side says so."""

    reason: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Never:
    """It was refused for good."""

    reason: str


Outcome = Sent | Later | Never


class Channel(Protocol):
    """Delivers notices, one attempt at a time."""

    async def deliver(self, notice: Notice) -> Outcome:
        """Try once; whatever goes wrong on the way is an outcome."""

    async def close(self) -> None:
        """Give back connections."""
