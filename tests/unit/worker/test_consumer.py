"""What the bundle consumer hands over, and what it survives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from services.worker.consumer import BundleConsumer

PLACE = TP("ownership.added", 5)


def consumer(*, flow_active: bool, seek_error: Exception | None = None) -> Any:
    """One that has fetched two records, without Kafka."""
    made: Any = BundleConsumer.__new__(BundleConsumer)
    made.seeks = 0

    async def wait_next_records(_: float) -> Any:
        return {PLACE: ["first", "second"]}, None

    async def perform_seek() -> None:
        made.seeks += 1
        if seek_error is not None:
            raise seek_error

    monitor = SimpleNamespace(track_tp_end_offset=lambda *_: None)
    made.app = SimpleNamespace(consumer_generation_id=1, monitor=monitor)
    made.flow_active = flow_active
    made.highwater = lambda _: 2
    made._to_message = lambda _, record: SimpleNamespace(of=record)
    made._stopped = SimpleNamespace(is_set=lambda: False)
    made._crashed = SimpleNamespace(is_set=lambda: False)
    made._wait_next_records = wait_next_records
    made.perform_seek = perform_seek
    return made


async def test_a_fetch_of_a_partition_is_one_message() -> None:
    [(place, message)] = [pair async for pair in consumer(flow_active=True).getmany(1.0)]
    assert place == PLACE
    assert message.of == "second"
    assert message.value == ["first", "second"]


@pytest.mark.parametrize(
    "error",
    [None, IllegalStateError("No current assignment"), AssertionError("No partitions are currently assigned")],
)
async def test_records_that_come_while_partitions_move_are_read_again(error: Exception | None) -> None:
    made = consumer(flow_active=False, seek_error=error)
    assert [pair async for pair in made.getmany(1.0)] == []
    assert made.seeks == 1
