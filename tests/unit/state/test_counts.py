"""Packed counts equal a dictionary, whatever is added and taken away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.state.counts import Counts

moves = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([1, 1, 1, -1])), max_size=200)


@given(moves)
def test_counts_equal_a_dictionary(steps: list[tuple[int, int]]) -> None:
    counts, expected = Counts(), dict[int, int]()
    for id_, delta in steps:
        if expected.get(id_, 0) + delta < 0:
            with pytest.raises(ValueError, match="would be -1"):
                counts.add(id_, delta)
            continue
        expected[id_] = expected.get(id_, 0) + delta
        assert counts.add(id_, delta) == expected[id_]
        counts = Counts(counts.pack())
    expected = {id_: number for id_, number in expected.items() if number}
    assert dict(counts) == expected
    assert list(counts) == sorted(expected.items())
    assert counts.first() == min(expected, default=None)
    assert counts.between(10, 19) == sum(number for id_, number in expected.items() if 10 <= id_ <= 19)


def test_equal_counts_pack_to_equal_bytes() -> None:
    one, other = Counts(), Counts()
    for id_ in (3, 1, 2, 9):
        one.add(id_, 1)
    for id_ in (9, 2, 3, 1):
        other.add(id_, 1)
    other.add(9, 1)
    other.add(9, -1)
    assert one.pack() == other.pack() == b"".join(n.to_bytes(4, "little") for n in (1, 2, 3, 9, 1, 1, 1, 1))


def test_half_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        Counts(b"\x01\x00\x00\x00")
