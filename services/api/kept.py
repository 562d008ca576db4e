"""Answers that were made a while ago, for as long as there is room."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

from services.api.answers import Answer

_BESIDE: Final = 1000  # bytes that an answer takes beside its body and what that is made from
_OBJECT: Final = 50


class Kept:
    """Answers, each with what it was made from; who asks sees whether that still holds. The longest unused go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = self._left = most_bytes
        self._kept: dict[Hashable, tuple[Any, Answer]] = {}
        self._sizes: dict[Hashable, int] = {}

    def find(self, key: Hashable) -> tuple[Any, Answer] | None:
        """What the answer was made from, and the answer."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._kept[key] = found
        return found

    def keep(self, key: Hashable, made_from: Any, answer: Answer) -> None:
        """Keep an answer in the place of the former one."""
        self._drop(key)
        size = len(answer.body) + _size(made_from) + _BESIDE
        if size > self._most:
            return
        self._kept[key], self._sizes[key] = (made_from, answer), size
        self._left -= size
        while self._left < 0:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        if self._kept.pop(key, None) is not None:
            self._left += self._sizes.pop(key)


def _size(value: Any) -> int:
    """Bytes, about: of texts what they hold, of rows their values, of all else what a small object takes."""
    if isinstance(value, (str, bytes)):
        return len(value) + _OBJECT
    if isinstance(value, Iterable):
        return sum(map(_size, value)) + _OBJECT
    return _OBJECT
