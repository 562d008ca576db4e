"""What Faust was taught: the range assignor, positions, and an assignment that moves while we ask for it."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError
from faust.types import TP

from services.settings import Settings
from services.worker.consumer import (
    BUFFERED_SECONDS,
    BundleConsumer,
    BundleTransport,
    RangeThread,
    WorkerApp,
    create_app,
)

PLACE = TP("t", 0)


async def no_positions(beginnings: object) -> dict[TP, int]:
    return {}


def test_faust_cannot_choose_another_assignor() -> None:
    thread = RangeThread.__new__(RangeThread)
    thread._assignor = "round-robin"
    assert thread._assignor is RangePartitionAssignor


def test_the_position_is_behind_the_highest_acknowledged_offset() -> None:
    consumer = SimpleNamespace(_acked=defaultdict(list), _acked_index=defaultdict(set))
    assert BundleConsumer._new_offset(consumer, PLACE) is None
    consumer._acked[PLACE] += [4, 9]
    consumer._acked_index[PLACE] |= {4, 9}
    assert BundleConsumer._new_offset(consumer, PLACE) == 10
    assert BundleConsumer._new_offset(consumer, PLACE) is None
    assert not consumer._acked_index[PLACE]


async def test_an_assignment_that_moves_while_we_seek_is_sought_again() -> None:
    tries: list[int] = []

    async def seek() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise IllegalStateError("no current assignment")

    consumer = SimpleNamespace(should_stop=False, _seek_to_ledger=seek)
    await BundleConsumer.perform_seek(consumer)
    assert len(tries) == 3
    consumer.should_stop = True
    await BundleConsumer.perform_seek(consumer)
    assert len(tries) == 3


async def test_other_faults_of_seeking_are_not_hidden() -> None:
    async def seek() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await BundleConsumer.perform_seek(SimpleNamespace(should_stop=False, _seek_to_ledger=seek))


async def test_settings_that_losses_taught() -> None:
    app, topic = create_app(Settings(topic_prefix="p.", session_seconds=6), ("a", "b"), no_positions)
    assert isinstance(app, WorkerApp)
    assert list(topic.topics) == ["p.a", "p.b"]
    assert isinstance(app._new_transport(), BundleTransport)
    conf = app.conf
    assert (conf.id, conf.processing_guarantee.value) == ("p.gatefold", "at_least_once")
    assert (conf.web_enabled, conf.topic_allow_declare, conf.table_standby_replicas) == (False, False, 0)
    assert (conf.stream_wait_empty, conf.consumer_auto_offset_reset) == (True, "earliest")
    # Time without a fetch must not cost the membership; the ladder of the others keeps its order.
    assert conf.broker_max_poll_interval >= 864_000
    assert conf.broker_heartbeat_interval * 3 <= conf.broker_session_timeout
    assert conf.broker_session_timeout < conf.broker_rebalance_timeout < conf.broker_request_timeout


async def test_partitions_that_were_buffered_are_looked_at_again_soon() -> None:
    """Faust would sleep for a second where all are buffered, and wait for one where some are."""
    asked: list[float] = []
    active: set[TP] = set()

    async def wait_next_records(timeout: float) -> tuple[None, set[TP]]:
        asked.append(timeout)
        return None, active

    consumer = SimpleNamespace(
        should_stop=False,
        flow_active=True,
        app=SimpleNamespace(consumer_generation_id=1),
        _buffered_partitions={PLACE},
        _get_active_partitions=lambda: active,
        _wait_next_records=wait_next_records,
    )

    async def poll() -> None:
        assert [one async for one in BundleConsumer.getmany(consumer, 1.0)] == []

    polling = asyncio.create_task(poll())
    await asyncio.sleep(3 * BUFFERED_SECONDS)
    assert not asked, "there was nothing to ask for"
    active.add(PLACE)
    await asyncio.wait_for(polling, 10)
    consumer._buffered_partitions.clear()
    await poll()
    assert asked == [BUFFERED_SECONDS, 1.0]

    active.clear()
    consumer._buffered_partitions.add(PLACE)
    consumer.should_stop = True
    await asyncio.wait_for(poll(), 10)
    assert len(asked) == 2
