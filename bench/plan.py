"""How large the benches are, where they run, and whom they tell of their steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Engines:
    """The addresses of the two servers."""

    postgres: str
    kafka: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers that decide how long the benches take.

    Shape:   `users` with `records` records each live in the database when the backlog of `events` or `pages` comes;
             all of it `rounds` times, each on fresh copies. `crowd` is the larger number of users, `fetched` the
             records that a consumer alone reads, `reads` the requests of each kind in a turn, `dumped` the releases of
             a dump.
    """

    users: int = 20_000
    records: int = 20
    events: int = 40_000
    pages: int = 1_200
    rounds: int = 3
    flat_users: int = 50
    flat_rounds: int = 12
    crowd: int = 1_000_000
    fetched: int = 200_000
    latency_seconds: float = 20.0
    reads: int = 3_200
    dumped: int = 210_000


QUICK = Scale(
    users=4_000,
    events=12_000,
    pages=400,
    rounds=1,
    flat_users=40,
    flat_rounds=6,
    crowd=100_000,
    fetched=60_000,
    latency_seconds=8.0,
    reads=800,
    dumped=35_000,
)


class Steps(Protocol):
    """Is told what was done, for a person who waits."""

    def begin(self, bench: str, steps: int) -> None: ...

    def done(self, what: str) -> None: ...
