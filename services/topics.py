"""Which topics there must be, which there are, and what is to be done about the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from contracts.topics import INPUT_TOPICS, TOPICS, Topic
from services.settings import Settings

DAY_MS = 24 * 60 * 60 * 1000
REQUEST_MS = 8_000


@dataclass(frozen=True, slots=True)
class Declared:
    """A topic that exists: its partitions, and those of its settings that we care about."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of an existing topic that is not what we would have declared; ours to report, not to change."""

    topic: str
    setting: str
    wanted: str
    found: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What `gatefold topics` would do. Names are Kafka's, with the prefix.

    Shape:   `create` maps names to what they carry; `refusal` is why nothing may be done, or None.
    """

    create: Mapping[str, Topic]
    partitions: int
    replication: int
    present: Mapping[str, int]
    differences: Sequence[Difference] = field(default_factory=list)
    refusal: str | None = None


def wanted_config(topic: Topic) -> dict[str, str]:
    """The settings we declare a topic with.

    Shape:   LogAppendTime, so that a record's timestamp is the broker's and a time ahead of it can be told.
    """
    return {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(topic.retention_days * DAY_MS),
        "max.message.bytes": str(topic.max_message_bytes),
    }


def plan(settings: Settings, existing: Mapping[str, Declared]) -> Plan:
    """What is missing, what differs, and whether the input topics can have one number of partitions."""
    create: dict[str, Topic] = {}
    present: dict[str, int] = {}
    differences: list[Difference] = []
    for topic in TOPICS.values():
        name = settings.topic(topic.name)
        there = existing.get(name)
        if there is None:
            create[name] = topic
            continue
        present[name] = there.partitions
        for setting, wanted in wanted_config(topic).items():
            found = there.config.get(setting)
            if found is not None and found != wanted:
                differences.append(Difference(name, setting, wanted, found))
    return Plan(
        create,
        settings.topic_partitions,
        settings.topic_replication,
        present,
        differences,
        _refusal(settings, existing),
    )


def _refusal(settings: Settings, existing: Mapping[str, Declared]) -> str | None:
    """Why the input topics do not fit together, in a sentence."""
    counts: dict[int, list[str]] = {}
    for topic in INPUT_TOPICS:
        name = settings.topic(topic)
        if name in existing:
            counts.setdefault(existing[name].partitions, []).append(name)
    why = "partition n of every input topic must be with one worker, so all of them need the same number of partitions"
    if len(counts) > 1:
        found = "; ".join(f"{number}: {', '.join(names)}" for number, names in sorted(counts.items()))
        return f"{why}; found {found}"
    for number, names in counts.items():
        if number != settings.topic_partitions:
            return (
                f"{why}; {', '.join(names)} {'has' if len(names) == 1 else 'have'} {number}, "
                f"GATEFOLD_TOPIC_PARTITIONS asks for {settings.topic_partitions}"
            )
    return None


class TopicAdmin:
    """Reads and creates topics."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None

    async def open(self) -> None:
        """Connect.

        Raises:  KafkaError or OSError where no broker answers.
        """
        self._client = AIOKafkaAdminClient(bootstrap_servers=self._settings.bootstrap, request_timeout_ms=REQUEST_MS)
        try:
            await self._client.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def existing(self) -> dict[str, Declared]:
        """Those of our topics that exist."""
        names = {self._settings.topic(name) for name in TOPICS}
        partitions = {
            one["topic"]: len(one["partitions"])
            for one in await self._client.describe_topics()
            if one["topic"] in names and not one["error_code"]
        }
        if not partitions:
            return {}
        settings = sorted(wanted_config(next(iter(TOPICS.values()))))
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(settings)) for name in partitions]
        config: dict[str, dict[str, str]] = {}
        for response in await self._client.describe_configs(resources):
            for one in response.to_object()["resources"]:
                config[one["resource_name"]] = {
                    entry["config_names"]: entry["config_value"] for entry in one["config_entries"]
                }
        return {name: Declared(count, config.get(name, {})) for name, count in partitions.items()}

    async def create(self, todo: Plan) -> None:
        """Create what the plan lacks; a topic that somebody else just created is as good.

        Raises:  KafkaError with the broker's words where it refuses one.
        """
        if not todo.create:
            return
        new = [
            NewTopic(name, todo.partitions, todo.replication, topic_configs=wanted_config(topic))
            for name, topic in todo.create.items()
        ]
        response = await self._client.create_topics(new, timeout_ms=REQUEST_MS)
        for one in response.to_object()["topic_errors"]:
            error = for_code(one["error_code"])
            if one["error_code"] and error is not TopicAlreadyExistsError:
                raise KafkaError(f"{one['topic']}: {one.get('error_message') or error.description}")
