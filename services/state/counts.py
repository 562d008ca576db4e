"""Counts of small integers, packed: what a collector row keeps of its bounded facets and of its years."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping

if sys.byteorder != "little" or array("I").itemsize != 4:  # the packed form is defined as little-endian uint32
    raise ImportError("Gatefold needs a little-endian machine with 32-bit unsigned ints")


class Counts:
    """How often each id occurs; ids rise, counts are positive.

    Shape:   packed as all ids, then all counts, little-endian uint32. Adding looks an id up by bisection and
             changes the array in place, so an event costs the same whatever else is counted.
    """

    __slots__ = ("_packed", "_size")

    def __init__(self, packed: bytes = b"") -> None:
        """Raises:  ValueError where `packed` is not a whole number of pairs."""
        if len(packed) % 8:
            raise ValueError(f"{len(packed)} bytes are not pairs of uint32")
        self._packed = array("I", packed)
        self._size = len(packed) // 8

    @classmethod
    def of(cls, counted: Mapping[int, int]) -> Counts:
        """These counts, all of them positive."""
        ids = sorted(counted)
        made = cls()
        made._packed = array("I", [*ids, *(counted[id_] for id_ in ids)])
        made._size = len(ids)
        return made

    def add(self, id_: int, delta: int) -> int:
        """Change the count of `id_` by `delta`; answers the new count.

        Raises:  ValueError where the count would fall below zero: the state would contradict itself.
        """
        packed, size = self._packed, self._size
        at = bisect_left(packed, id_, 0, size)
        if at < size and packed[at] == id_:
            number = packed[size + at] + delta
            if number > 0:
                packed[size + at] = number
            elif number == 0:
                del packed[size + at], packed[at]
                self._size = size - 1
            else:
                raise ValueError(f"count of {id_} would be {number}")
            return number
        if delta <= 0:
            raise ValueError(f"count of {id_} would be {delta}")
        packed.insert(size + at, delta)
        packed.insert(at, id_)
        self._size = size + 1
        return delta

    def between(self, first: int, last: int) -> int:
        """Sum of the counts of the ids `first` … `last`."""
        packed, size = self._packed, self._size
        start = bisect_left(packed, first, 0, size)
        return sum(packed[size + start : size + bisect_left(packed, last + 1, start, size)])

    def first(self) -> int | None:
        """The smallest id; None when nothing is counted."""
        return self._packed[0] if self._size else None

    def pack(self) -> bytes:
        """The packed form; equal counts give equal bytes."""
        return self._packed.tobytes()

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._packed[: self._size], self._packed[self._size :], strict=True)
