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
             changes the arrays in place, so an event costs the same whatever else is counted.
    """

    __slots__ = ("_ids", "_numbers")

    def __init__(self, packed: bytes = b"") -> None:
        """Raises:  ValueError where `packed` is not a whole number of pairs."""
        half, odd = divmod(len(packed), 2)
        if odd or half % 4:
            raise ValueError(f"{len(packed)} bytes are not pairs of uint32")
        self._ids = array("I", packed[:half])
        self._numbers = array("I", packed[half:])

    @classmethod
    def of(cls, counted: Mapping[int, int]) -> Counts:
        """These counts, all of them positive."""
        made = cls()
        made._ids = array("I", sorted(counted))
        made._numbers = array("I", [counted[id_] for id_ in made._ids])
        return made

    def add(self, id_: int, delta: int) -> int:
        """Change the count of `id_` by `delta`; answers the new count.

        Raises:  ValueError where the count would fall below zero: the state would contradict itself.
        """
        ids, numbers = self._ids, self._numbers
        at = bisect_left(ids, id_)
        if at < len(ids) and ids[at] == id_:
            number = numbers[at] + delta
            if number > 0:
                numbers[at] = number
            elif number == 0:
                del ids[at], numbers[at]
            else:
                raise ValueError(f"count of {id_} would be {number}")
            return number
        if delta <= 0:
            raise ValueError(f"count of {id_} would be {delta}")
        ids.insert(at, id_)
        numbers.insert(at, delta)
        return delta

    def between(self, first: int, last: int) -> int:
        """Sum of the counts of the ids `first` … `last`."""
        ids = self._ids
        start = bisect_left(ids, first)
        return sum(self._numbers[start : bisect_left(ids, last + 1, start)])

    def first(self) -> int | None:
        """The smallest id; None when nothing is counted."""
        return self._ids[0] if self._ids else None

    def pack(self) -> bytes:
        """The packed form; equal counts give equal bytes."""
        return self._ids.tobytes() + self._numbers.tobytes()

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._ids, self._numbers, strict=True)
