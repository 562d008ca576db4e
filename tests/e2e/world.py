"""A database, topics and processes of their own: what is sent to them, and what has become of it."""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from contracts.topics import INPUT_TOPICS
from services.cli.positions import Status, observe
from services.kafka import LogReader
from services.settings import Settings
from services.stack.endpoints import Endpoints
from services.stores import exports
from services.stores.migrate import migrate
from services.topics import TopicAdmin, plan
from tests.e2e.events import Message
from tests.e2e.processes import Crew, Process
from tests.integration.commands import Done, gatefold
from tests.model import lab

PARTITIONS = 4
SESSION_SECONDS = 6
# One small transaction after the other, so that a fault comes in the middle of many.
SLOWLY = {"bundle_records": "2", "worker_lanes": "1"}
ERASURE_KEY = "an-erasure-key-of-the-tests"
Place = tuple[str, int, int]
Log = dict[tuple[str, int], list[ConsumerRecord]]


class World:
    """Everything of one topic prefix and one database."""

    def __init__(
        self, settings: Settings, directory: Path, producer: AIOKafkaProducer, logins: Mapping[str, str]
    ) -> None:
        self.settings, self.directory, self._producer = settings, directory, producer
        self.environment = {
            "GATEFOLD_POSTGRES_URL": settings.postgres_url,
            "GATEFOLD_KAFKA_URL": settings.kafka_url,
            "GATEFOLD_TOPIC_PREFIX": settings.topic_prefix,
            "GATEFOLD_TOPIC_PARTITIONS": str(settings.topic_partitions),
            "GATEFOLD_ERASURE_KEY": ERASURE_KEY,
            "GATEFOLD_WORKER_PORT": "0",
            "GATEFOLD_RELAY_PORT": "0",
            "GATEFOLD_SCHEDULER_PORT": "0",
            "GATEFOLD_GRAPH_PORT": "0",
            "GATEFOLD_NEO4J_URL": settings.neo4j_url,
            "GATEFOLD_SESSION_SECONDS": str(SESSION_SECONDS),
            # Some of the loads are mostly poison.
            "GATEFOLD_BRAKE_IN_A_ROW": "1000000",
            "GATEFOLD_BRAKE_PERCENT": "100",
        }
        self.crew = Crew(directory, self.environment, logins)
        self.worker: Process
        self.relay: Process

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        """A `gatefold` command, run to its end."""
        return gatefold(self.environment, *arguments, stdin=stdin)

    async def send(self, messages: Iterable[Message]) -> list[Place]:
        """Publish in order; where each record came to lie."""
        waiting = []
        for one in messages:
            topic, headers = self.settings.topic(one.topic), list(one.headers)
            waiting.append(
                await self._producer.send(topic, one.value, key=one.key, headers=headers, partition=one.partition)
            )
        found = [await future for future in waiting]
        prefix = len(self.settings.topic_prefix)
        return [(record.topic[prefix:], record.partition, record.offset) for record in found]

    async def status(self) -> Status:
        """How far worker and relay have come."""
        reader = LogReader(self.settings.bootstrap)
        await reader.open()
        try:
            async with self.database() as connection:
                return await observe(self.settings, connection, reader)
        finally:
            await reader.close()

    async def drained(self, *, seconds: float = 60, graph: bool = False) -> Status:
        """Wait until all that was sent is processed and published; with `graph`, whoever is due is measured too."""
        deadline = asyncio.get_running_loop().time() + seconds
        reader = LogReader(self.settings.bootstrap)
        await reader.open()
        try:
            async with self.database() as connection:
                while True:
                    found = await observe(self.settings, connection, reader)
                    if found.done if graph else found.done_without_graph:
                        return found
                    late = [one for one in found.partitions if one.behind]
                    left = f"not within {seconds:g} s: {found.behind} records, {found.outbox} messages, {late[:3]},"
                    left += f" {found.graph_due} graphs"
                    assert asyncio.get_running_loop().time() < deadline, left
                    await asyncio.sleep(0.05)
        finally:
            await reader.close()

    async def accounted(self) -> int:
        """Records that the ledger accounts for."""
        return int(await self.query("select coalesce(sum(next_offset - base_offset), 0) from offset_ledger"))

    async def accounts_for(self, number: int, *, seconds: float = 45) -> None:
        """Wait until the ledger accounts for so many records."""
        deadline = asyncio.get_running_loop().time() + seconds
        async with self.database() as connection:
            while (
                await connection.fetchval("select coalesce(sum(next_offset - base_offset), 0) from offset_ledger")
            ) < number:
                assert asyncio.get_running_loop().time() < deadline, f"{number} records: not within {seconds:g} s"
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection."""
        connection = await asyncpg.connect(self.settings.postgres_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def query(self, statement: str, *arguments: Any) -> Any:
        """One value."""
        async with self.database() as connection:
            return await connection.fetchval(statement, *arguments)

    async def state(self) -> dict[str, dict[str, Any]]:
        """What `export state` says, by user."""
        async with self.database() as connection, connection.transaction():
            lines = [json.loads(line) async for line in exports.export_state(connection)]
        return {line.pop("user_id"): line for line in lines}

    async def awards(self, user: str | None = None) -> dict[tuple[str, str, str], dict[str, Any]]:
        """What `export awards` says, by user, badge and context."""
        async with self.database() as connection, connection.transaction():
            lines = [json.loads(line) async for line in exports.export_awards(connection, user)]
        return {(line["user_id"], line["badge_key"], line["context"]): line for line in lines}

    async def letters(self) -> dict[Place, tuple[str, str]]:
        """Stage and reason of each dead letter."""
        async with self.database() as connection:
            rows = await connection.fetch('select topic, partition, "offset", stage, reason from dead_letter')
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}

    async def log(self, *topics: str) -> Log:
        """All records that the topics (all input topics if none is named) hold now."""
        found: defaultdict[tuple[str, int], list[ConsumerRecord]] = defaultdict(list)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            names = {self.settings.topic(name): name for name in topics or INPUT_TOPICS}
            places = [TopicPartition(name, part) for name in names for part in range(self.settings.topic_partitions)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            begins = await consumer.beginning_offsets(places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for place, batch in (await consumer.getmany(timeout_ms=200)).items():
                    found[names[place.topic], place.partition] += batch
            for place in places:
                read = [record.offset for record in found[names[place.topic], place.partition]]
                assert read == list(range(begins[place], ends[place])), place
        finally:
            await consumer.stop()
        return found

    async def published(self, topic: str) -> list[ConsumerRecord]:
        """All records of a topic that we publish, of one partition after another."""
        log = await self.log(topic)
        return [record for place in sorted(log) for record in log[place]]


@asynccontextmanager
async def new_world(
    engines: Endpoints, directory: Path, *, partitions: int = PARTITIONS, neo4j_url: str = "bolt://127.0.0.1:1"
) -> AsyncIterator[World]:
    """An empty world: migrated, topics declared, nothing running; all of its processes are ended with it."""
    name = f"e2e_{secrets.token_hex(4)}"
    server = engines.postgres_url
    settings = Settings(
        postgres_url=urlsplit(server)._replace(path=f"/{name}").geturl(),
        kafka_url=engines.kafka_url,
        neo4j_url=neo4j_url,
        topic_prefix=f"{name}.",
        topic_partitions=partitions,
    )
    await _execute(server, f"create database {name}")
    await migrate(settings.postgres_url)
    connection = await asyncpg.connect(settings.postgres_url)
    await lab.stock(connection)
    await connection.close()
    # Each process with the rights of its role and no others.
    logins = {process: f"{name}_{process}" for process in ("worker", "relay", "scheduler", "api", "graph")}
    password = secrets.token_hex(8)
    for process, user in logins.items():
        await _execute(server, f"create role {user} login password '{password}' in role gatefold_{process}")
    urls = {process: _login(settings.postgres_url, user, password) for process, user in logins.items()}
    admin = TopicAdmin(settings)
    await admin.open()
    await admin.create(plan(settings, await admin.existing()))
    await admin.close()
    # Records of the load are larger than the contract allows: the worker has to refuse them, not the producer.
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, enable_idempotence=True, linger_ms=5, max_request_size=4_000_000
    )
    await producer.start()
    world = World(settings, directory, producer, urls)
    try:
        yield world
    finally:
        world.crew.close()
        await producer.stop()
        await _execute(server, f"drop database {name} with (force)")
        await _execute(server, f"drop role {', '.join(logins.values())}")


def _login(url: str, user: str, password: str) -> str:
    split = urlsplit(url)
    return split._replace(netloc=f"{user}:{password}@{split.hostname}:{split.port}").geturl()


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def by_user(awards: dict[tuple[str, str, str], Any], user: str) -> list[tuple[str, str]]:
    """Badge and context of each award of one user."""
    return sorted((badge, context) for one, badge, context in awards if one == user)
