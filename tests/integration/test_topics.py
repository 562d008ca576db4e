"""Topics are declared once, with one number of partitions, and existing ones are never changed."""

import json
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import INPUT_TOPICS, OUTPUT_TOPICS, TOPICS
from tests.integration.commands import Done, gatefold


@pytest.fixture
def surroundings(kafka_url: str) -> dict[str, str]:
    return {
        "GATEFOLD_KAFKA_URL": kafka_url,
        "GATEFOLD_TOPIC_PREFIX": f"t{secrets.token_hex(4)}.",
        "GATEFOLD_TOPIC_PARTITIONS": "3",
    }


@pytest_asyncio.fixture(loop_scope="session")
async def admin(kafka_url: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_url.removeprefix("kafka://"))
    await client.start()
    yield client
    await client.close()


def topics(surroundings: dict[str, str], *arguments: str) -> tuple[Done, dict[str, object]]:
    done = gatefold(surroundings, "topics", "--json", *arguments)
    return done, json.loads(done.out)


async def partitions(admin: AIOKafkaAdminClient, prefix: str) -> dict[str, int]:
    return {
        one["topic"].removeprefix(prefix): len(one["partitions"])
        for one in await admin.describe_topics()
        if one["topic"].startswith(prefix)
    }


async def test_declares_what_is_missing_once(surroundings: dict[str, str], admin: AIOKafkaAdminClient) -> None:
    prefix = surroundings["GATEFOLD_TOPIC_PREFIX"]
    done, plan = topics(surroundings, "--dry-run")
    assert done.code == 0
    assert len(plan["create"]) == len(TOPICS)
    assert await partitions(admin, prefix) == {}

    done, plan = topics(surroundings)
    assert done.code == 0
    assert await partitions(admin, prefix) == dict.fromkeys([*INPUT_TOPICS, *OUTPUT_TOPICS], 3)

    done, plan = topics(surroundings)
    assert (done.code, plan["create"], plan["differences"], plan["refusal"]) == (0, [], [], None)
    assert len(plan["present"]) == len(TOPICS)


async def test_a_differing_setting_is_reported_and_left(
    surroundings: dict[str, str], admin: AIOKafkaAdminClient
) -> None:
    name = surroundings["GATEFOLD_TOPIC_PREFIX"] + "badge.awarded"
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs={"retention.ms": "1000"})])
    for _ in range(2):
        done, plan = topics(surroundings)
        assert done.code == 0
        found = {one["setting"]: one["found"] for one in plan["differences"] if one["topic"] == name}
        assert found["retention.ms"] == "1000"
        assert found["message.timestamp.type"] == "CreateTime"


async def test_refuses_input_topics_with_different_partition_counts(
    surroundings: dict[str, str], admin: AIOKafkaAdminClient
) -> None:
    prefix = surroundings["GATEFOLD_TOPIC_PREFIX"]
    await admin.create_topics([NewTopic(prefix + "user.joined", 3, 1), NewTopic(prefix + "cron.sweep", 2, 1)])
    done, plan = topics(surroundings)
    assert done.code == 1
    assert f"2: {prefix}cron.sweep; 3: {prefix}user.joined" in str(plan["refusal"])
    assert set(await partitions(admin, prefix)) == {"user.joined", "cron.sweep"}


async def test_refuses_a_partition_count_that_is_not_asked_for(
    surroundings: dict[str, str], admin: AIOKafkaAdminClient
) -> None:
    prefix = surroundings["GATEFOLD_TOPIC_PREFIX"]
    await admin.create_topics([NewTopic(prefix + "user.joined", 4, 1)])
    done = gatefold(surroundings, "topics")
    assert done.code == 1
    assert f"{prefix}user.joined has 4, GATEFOLD_TOPIC_PARTITIONS asks for 3" in done.err
    assert set(await partitions(admin, prefix)) == {"user.joined"}


def test_an_output_topic_may_have_any_number_of_partitions(surroundings: dict[str, str]) -> None:
    assert topics({**surroundings, "GATEFOLD_TOPIC_PARTITIONS": "2"})[0].code == 0
    done, plan = topics({**surroundings, "GATEFOLD_TOPIC_PARTITIONS": "3"})
    assert done.code == 1
    assert "badge.awarded" not in str(plan["refusal"])


def test_an_unreachable_broker_is_named() -> None:
    done = gatefold({"GATEFOLD_KAFKA_URL": "kafka://127.0.0.1:1"}, "topics")
    assert done.code == 69
    assert "GATEFOLD_KAFKA_URL" in done.err
    assert done.err.count("\n") == 1
