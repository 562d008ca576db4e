"""What every process does that waits for servers."""

import pytest

from services.graph import turns
from services.graph.main import BACKOFF_SECONDS as OF_THE_LANE
from services.leading import BACKOFF_SECONDS as OF_A_LEADER
from services.process import backoff


@pytest.mark.parametrize("bounds", [OF_A_LEADER, OF_THE_LANE, turns.REST_SECONDS])
def test_backoff_grows_to_its_limit_with_jitter(bounds: tuple[float, float]) -> None:
    shortest, longest = bounds
    assert all(shortest / 2 <= backoff(1, bounds) <= shortest for _ in range(50))
    assert all(longest / 2 <= backoff(failures, bounds) <= longest for failures in (10, 1000) for _ in range(50))
    assert len({backoff(5, bounds) for _ in range(10)}) > 1
