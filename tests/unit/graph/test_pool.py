"""Measuring in a process of its own: the same as here, and a process that dies is replaced."""

import asyncio
import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from services.graph.measure import measure
from services.graph.pool import MeasuringFailed, Pool

IDS = np.arange(10, dtype=np.int64)
ROW = np.column_stack((IDS[:-1], IDS[1:]))


@pytest.fixture
def pool() -> Iterator[Pool]:
    found = Pool(1)
    yield found
    found.close()


async def test_it_measures_as_this_process_would(pool: Pool) -> None:
    assert await pool.measure(IDS, ROW) == measure(IDS, ROW)
    found = await asyncio.gather(*(pool.measure(IDS[:n], ROW[: n - 1]) for n in range(2, 10)))
    assert [one.hops for one in found] == list(range(1, 9))


async def test_one_that_dies_fails_what_it_measured_and_nothing_else(pool: Pool) -> None:
    await pool.measure(IDS, ROW)
    assert pool._executor is not None
    (pid,) = pool._executor._processes
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(MeasuringFailed):
        await asyncio.gather(*(pool.measure(IDS, ROW) for _ in range(200)))
    assert (await pool.measure(IDS, ROW)).hops == 9
