"""A server that takes connections and never says a word keeps nobody waiting for long."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.commands import Done, gatefold

# PostgreSQL has 3 s for a connection, Kafka 8 s for an answer; the rest is the start of Python on a busy machine.
SECONDS = 45


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[str]:
    """`host:port` of somebody who listens."""
    writers = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, family=socket.AF_INET)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.close()


async def run_all(environment: dict[str, str], *commands: str) -> dict[str, Done]:
    """Every command at once, none for longer than SECONDS."""
    free = {"GATEFOLD_WORKER_PORT": "0", "GATEFOLD_RELAY_PORT": "0", "GATEFOLD_SCHEDULER_PORT": "0"}
    start = time.monotonic()
    done = await asyncio.gather(
        *(asyncio.to_thread(gatefold, environment | free, *command.split(), seconds=SECONDS) for command in commands)
    )
    assert time.monotonic() - start < SECONDS
    return dict(zip(commands, done, strict=True))


@pytest.mark.parametrize(
    ("server", "commands"),
    [
        ("PostgreSQL", ("migrate", "status", "worker", "relay", "scheduler", "export awards", "dead-letters list")),
        ("Kafka", ("topics", "status", "worker", "relay", "emit -")),
    ],
)
async def test_a_silent_server_is_an_unreachable_one(
    environment: dict[str, str], silent: str, server: str, commands: tuple[str, ...]
) -> None:
    address = {"PostgreSQL": f"postgresql://u:p@{silent}/x", "Kafka": f"kafka://{silent}"}[server]
    variable = {"PostgreSQL": "GATEFOLD_POSTGRES_URL", "Kafka": "GATEFOLD_KAFKA_URL"}[server]
    for command, done in (await run_all(environment | {variable: address}, *commands)).items():
        assert done.code == 69, f"{command}: {done.err}"
        assert f"{server} at " in done.err
        assert variable in done.err
