"""What a worker says when it cannot start: one line that names the cause, and an exit code for the supervisor."""

import asyncio
import secrets

import pytest

from tests.conftest import Engines
from tests.e2e.world import World, new_world
from tests.integration.commands import gatefold


@pytest.mark.parametrize("process", ["worker", "relay"])
@pytest.mark.parametrize(
    ("variable", "url", "server"),
    [
        ("GATEFOLD_POSTGRES_URL", "postgresql://someone:secret@127.0.0.1:1/x", "PostgreSQL"),
        ("GATEFOLD_KAFKA_URL", "kafka://127.0.0.1:1", "Kafka"),
    ],
)
async def test_an_unreachable_server_is_named(world: World, process: str, variable: str, url: str, server: str) -> None:
    done = await asyncio.to_thread(gatefold, {**world.environment, variable: url}, process)
    assert done.code == 69
    assert f"{server} at" in done.err
    assert variable in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [("GATEFOLD_BUNDLE_RECORDS", "2001"), ("GATEFOLD_WORKER_PORT", "none"), ("GATEFOLD_LOG_LEVEL", "LOUD")],
)
async def test_a_wrong_setting_is_named(world: World, variable: str, value: str) -> None:
    done = await asyncio.to_thread(gatefold, {**world.environment, variable: value}, "worker")
    assert done.code == 2
    assert variable in done.err
    assert "Traceback" not in done.err


async def test_missing_topics_and_a_missing_schema(world: World, stack: Engines) -> None:
    elsewhere = {**world.environment, "GATEFOLD_TOPIC_PREFIX": f"nobodys-{secrets.token_hex(4)}."}
    done = await asyncio.to_thread(gatefold, elsewhere, "worker")
    assert done.code == 1
    assert "topics are missing: " in done.err
    assert "gatefold topics" in done.err
    server = {
        **world.environment,
        "GATEFOLD_POSTGRES_URL": stack.endpoints().postgres_url.rsplit("/", 1)[0] + "/postgres",
    }
    for process in ("worker", "relay"):
        done = await asyncio.to_thread(gatefold, server, process)
        assert done.code == 1
        assert "gatefold migrate" in done.err
        assert "Traceback" not in done.err


async def test_input_topics_of_different_sizes_are_refused(
    stack: Engines, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

    async with new_world(stack.endpoints(), tmp_path_factory.mktemp("sizes"), partitions=1) as world:
        admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.bootstrap)
        await admin.start()
        await admin.create_partitions({world.settings.topic("cron.sweep"): NewPartitions(total_count=2)})
        await admin.close()
        done = await asyncio.to_thread(world.run, "worker")
        assert done.code == 1
        assert "differ in their number of partitions" in done.err
