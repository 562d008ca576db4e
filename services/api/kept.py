"""Answers that were made a while ago, for as long as there is room."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from services.api.answers import Answer

_BESIDE: Final = 1000  # bytes that an answer takes beside its body and what that is made from


class Kept:
    """Answers, each with what it was made from; who asks sees whether that still holds. The longest unused go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = self._left = most_bytes
        self._kept: dict[Hashable, tuple[Any, Answer]] = {}

    def find(self, key: Hashable) -> tuple[Any, Answer] | None:
        """What the answer was made from, and the answer."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._kept[key] = found
        return found

    def keep(self, key: Hashable, made_from: Any, answer: Answer) -> None:
        """Keep an answer in the place of the former one."""
        if (former := self._kept.pop(key, None)) is not None:
            self._left += _size(former[1])
        if (size := _size(answer)) > self._most:
            return
        self._kept[key] = (made_from, answer)
        self._left -= size
        while self._left < 0:
            self._left += _size(self._kept.pop(next(iter(self._kept)))[1])


def _size(answer: Answer) -> int:
    """Bytes, about: what an answer is made from is hardly larger than the answer."""
    return 2 * len(answer.body) + _BESIDE
