"""Where a worker reads from: its ledger, whatever Kafka remembers of the group, and a log that lost its beginning."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.structs import OffsetAndMetadata

from contracts.topics import INPUT_TOPICS
from tests.e2e import events
from tests.e2e.accounts import balance
from tests.e2e.events import event, message
from tests.e2e.processes import Process
from tests.e2e.world import World

LOAD = 300


async def wait_until_left(world: World, *, seconds: float = 20) -> None:
    """Wait for Kafka to miss the stopped worker: it keeps its place in the group for as long as a session lasts."""
    group = world.settings.topic(world.settings.group)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.bootstrap)
    await admin.start()
    try:
        deadline = asyncio.get_running_loop().time() + seconds
        state = None
        while state != "Empty":
            assert asyncio.get_running_loop().time() < deadline, f"the group is {state}"
            await asyncio.sleep(0.2)
            (answer,) = await admin.describe_consumer_groups([group])
            ((_, _, state, *_),) = answer.groups
    finally:
        await admin.close()


async def commit(world: World, shift: int) -> None:
    """Tell Kafka that the group stands `shift` records beyond its ledger, or before it; never beyond the log's end."""
    group = world.settings.topic(world.settings.group)
    consumer = AIOKafkaConsumer(bootstrap_servers=world.settings.bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        places = {}
        for one in (await world.status()).partitions:
            offset = min(one.log_end, max(0, one.next_offset + shift))
            places[TopicPartition(world.settings.topic(one.topic), one.partition)] = OffsetAndMetadata(offset, "")
        consumer.assign(list(places))
        await consumer.commit(places)
    finally:
        await consumer.stop()


async def delete_group(world: World) -> None:
    """Make Kafka forget that there ever was a group."""
    group = world.settings.topic(world.settings.group)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.bootstrap)
    await admin.start()
    try:
        # The client has no method for it yet.
        node = await admin.find_coordinator(group)
        response = await admin._send_request_to_node(node, DeleteGroupsRequest([group]))
        ((name, code),) = response.results
        assert (name, for_code(code).__name__) == (group, "NoError")
        assert group not in [name for name, _ in await admin.list_consumer_groups()]
    finally:
        await admin.close()


async def started(world: World) -> Process:
    """A worker that has all partitions; in a thread, for the event loop has consumers to look after."""
    return await asyncio.to_thread(world.crew.worker)


async def test_the_ledger_decides_where_to_read_from(empty_world: World) -> None:
    world = empty_world
    world.crew.start("relay")
    worker = await started(world)
    await world.send(events.load(3, LOAD))
    await world.drained()
    for number, shift in enumerate((1_000, -7), 1):
        assert await asyncio.to_thread(worker.terminate) == 0
        await world.send(events.load(3 + number, LOAD, start=LOAD * number))
        await wait_until_left(world)
        await commit(world, shift)
        worker = await started(world)
        await world.drained()
    assert await asyncio.to_thread(worker.terminate) == 0
    await wait_until_left(world)
    await delete_group(world)
    await world.send(events.load(7, LOAD, start=LOAD * 3))
    worker = await started(world)
    await balance(world)
    # What had been processed was not even read again: the ledger was sought before the first fetch.
    assert world.crew.processes[-1].metric("gatefold_events_total") <= LOAD
    assert not worker.told("hole in the log")


async def test_records_that_the_log_lost_are_a_hole(empty_world: World) -> None:
    world = empty_world
    world.crew.start("relay")
    worker = await started(world)
    await world.send(events.load(11, LOAD))
    await world.drained()
    assert await asyncio.to_thread(worker.terminate) == 0
    reviews = [
        event("review.approved", "holed", f"review-{n}", {"review_id": str(n)}, time=events.at(n)) for n in range(30)
    ]
    places = await world.send(map(message, reviews))
    log = await world.log()
    topic, partition, begin = places[0]
    lost = 20
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.bootstrap)
    await admin.start()
    try:
        place = TopicPartition(world.settings.topic(topic), partition)
        await admin.delete_records({place: RecordsToDelete(begin + lost)})
    finally:
        await admin.close()
    worker = await started(world)
    status = await world.drained()
    holes = {(one.topic, one.partition): one.hole for one in status.partitions if one.hole}
    assert holes == {(topic, partition): lost}
    assert len(status.partitions) == len(INPUT_TOPICS) * world.settings.topic_partitions
    assert worker.metric("gatefold_holes_total") == lost
    (told,) = worker.told("hole in the log")
    assert (told["start"], told["end"]) == (begin, begin + lost)
    log[topic, partition] = [record for record in log[topic, partition] if not begin <= record.offset < begin + lost]
    oracle = await balance(world, log)
    assert oracle.state()["holed"]["reviews"] == len(reviews) - lost
