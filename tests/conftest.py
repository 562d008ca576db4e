"""The engines for the tests: one stack for the session, a database and a topic prefix for each module.

GATEFOLD_POSTGRES_URL, GATEFOLD_KAFKA_URL and GATEFOLD_NEO4J_URL replace an engine by one that runs already;
GATEFOLD_TEST_STACK=containers takes containers instead of child processes.
"""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from services.stack.endpoints import Endpoints
from services.stack.stack import Stack
from services.stores.postgres import Connection

# The engines of the tests live for minutes: they are not worth the thorough compiler, which takes a core at their boot.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
# How long an example takes says something of the machine, and nothing of the code.
hypothesis_settings.register_profile("gatefold", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("gatefold")


SECRET = "a-secret-of-the-tests-and-of-nobody-else"  # of tokens


class Engines(Protocol):
    """What tests use of a stack. The calls block: inside a coroutine, hand them to `asyncio.to_thread`."""

    def endpoints(self) -> Endpoints: ...
    def start_engine(self, name: str) -> str: ...
    def stop_engine(self, name: str) -> None: ...
    def restart(self, name: str) -> str: ...
    def kill(self, name: str) -> None: ...


@pytest.fixture(scope="session")
def stack() -> Iterator[Engines]:
    """PostgreSQL and Kafka, gone with their data after the last test; Neo4j joins when `neo4j_url` is asked for."""
    kind = os.environ.get("GATEFOLD_TEST_STACK", "local")
    if kind == "containers":
        from tests.containers import running_containers

        with running_containers() as containers:
            yield containers
    elif kind == "local":
        with Stack.temporary(("postgres", "kafka"), progress=True) as engines:
            yield engines
    else:
        raise ValueError(f"GATEFOLD_TEST_STACK is {kind!r}; it may be 'local' or 'containers'")


@pytest.fixture(scope="session")
def kafka_url(stack: Engines) -> str:
    """The broker, as `kafka://host:port`."""
    return stack.endpoints().kafka_url


@pytest.fixture(scope="session")
def neo4j_url(stack: Engines) -> str:
    """A running Neo4j, as `bolt://host:port`."""
    return stack.start_engine("neo4j")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database_template(stack: Engines) -> AsyncIterator[str]:
    """The name of a migrated database that nobody connects to."""
    from services.stores.migrate import migrate

    server = stack.endpoints().postgres_url
    name = f"gatefold_template_{secrets.token_hex(4)}"
    await _execute(server, f"CREATE DATABASE {name}")
    await migrate(_with_database(server, name))
    yield name
    await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(stack: Engines, database_template: str) -> AsyncIterator[str]:
    """The address of a migrated, empty database of the module's own."""
    server = stack.endpoints().postgres_url
    name = f"gatefold_test_{secrets.token_hex(4)}"
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {database_template}")
    yield _with_database(server, name)
    await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[Connection]:
    """A connection to the module's database that may do anything."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def topic_prefix() -> str:
    """What the names of the module's topics and groups begin with."""
    return f"t{secrets.token_hex(4)}."


@pytest.fixture(scope="module")
def environment(database: str, kafka_url: str, topic_prefix: str) -> dict[str, str]:
    """The settings for a process that works on the module's database and topics."""
    return {
        "GATEFOLD_POSTGRES_URL": database,
        "GATEFOLD_KAFKA_URL": kafka_url,
        "GATEFOLD_TOPIC_PREFIX": topic_prefix,
        "GATEFOLD_JWT_SECRET": SECRET,
        "GATEFOLD_ERASURE_KEY": "an-erasure-key-of-the-tests",
    }


def _with_database(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
