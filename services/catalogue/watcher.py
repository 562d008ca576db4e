"""Whoever shows how far a load is."""

from __future__ import annotations

from typing import Protocol

from services.catalogue.batches import Bad


class Watcher(Protocol):
    """Is told how far the load is."""

    def read(self, file: int, done: int, elements: int) -> None:
        """So many bytes of a file are read and their elements loaded."""

    def bad(self, file: int, bad: Bad) -> None:
        """An element was left out."""

    def broken(self, file: int, line: int, why: str) -> None:
        """A file broke off."""

    def step(self, what: str, done: int) -> None:
        """What is done after the last file."""
