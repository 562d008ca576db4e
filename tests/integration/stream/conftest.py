"""What the tests of streams share: an api, awards that are given and published."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from contracts.times import parse_time
from services.kafka import Publisher
from services.settings import Settings
from tests.conftest import SECRET
from tests.integration.awards import award
from tests.integration.stream.world import AT, Give, publish, surroundings
from tests.integration.test_api_process import running


@pytest.fixture(scope="module")
def settings(database: str, kafka_url: str, topic_prefix: str) -> Settings:
    return Settings(postgres_url=database, kafka_url=kafka_url, topic_prefix=topic_prefix, jwt_secret=SECRET)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(settings: Settings, publisher: Publisher) -> AsyncIterator[str]:
    async with running(**surroundings(settings), api_streams_user="2") as (_, found):
        yield found


@pytest.fixture
def give(db: asyncpg.Connection[asyncpg.Record], publisher: Publisher, settings: Settings) -> Give:
    """Store awards as the worker does and publish that there is something; answers the number of the last."""

    async def given(user: str, *keys: str, notify: bool = True, told: bool = True) -> int:
        number = 0
        for key in keys:
            number = await award(db, user, key, at=parse_time(AT), notify=notify)
        if told:
            await publish(publisher, settings, "badge.awarded", user, {})
        return number

    return given
