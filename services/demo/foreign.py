"""A run on engines that were there before it: what it makes there, and takes away again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import TOPICS
from services.demo.engines import Place
from services.settings import Settings
from services.stores.postgres import connect


@contextlib.contextmanager
def guest(place: Place, options: Settings) -> Iterator[None]:
    """A database of the run's own while the block runs; after it, neither the database nor the topics are there.

    Shape:   processes that use them have to be gone by the end of the block. On engines of our own, nothing is done.
             Kafka forgets the run's empty consumer group by itself.
    """
    if place.database is not None:
        asyncio.run(_execute(place, f'create database "{place.database}"'))
    try:
        yield
    finally:
        if "kafka" in place.replaced:
            asyncio.run(_drop_topics(options))
        if place.database is not None:
            asyncio.run(_execute(place, f'drop database if exists "{place.database}" with (force)'))


async def _drop_topics(options: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=options.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([options.topic(name) for name in TOPICS])
    finally:
        await admin.close()


async def _execute(place: Place, statement: str) -> None:
    connection = await connect(place.stack.endpoints().postgres_url, application="gatefold-demo")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
