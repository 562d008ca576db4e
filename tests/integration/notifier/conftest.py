"""What the tests of the notifier share: a receiver, awards that are given and published, processes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from contracts.envelope import encode_binary
from contracts.times import parse_time
from services.kafka import Outgoing, Publisher
from services.settings import Settings
from tests.e2e.processes import Crew
from tests.integration.awards import award as stored
from tests.integration.notifier.world import AT, SECRET, Award, Receiver


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    await found.listen()
    yield found
    await found.leave()


@pytest.fixture(scope="module")
def settings(database: str, kafka_url: str, topic_prefix: str) -> Settings:
    return Settings(postgres_url=database, kafka_url=kafka_url, topic_prefix=topic_prefix)


@pytest.fixture
def award(db: asyncpg.Connection[asyncpg.Record], publisher: Publisher, settings: Settings) -> Award:
    """Give badges in one batch and publish them as often as asked; answers the ids of the messages."""

    async def awarded(
        user: str, *families: str, times: int = 1, notify: bool = True, context: str = "", **evidence: Any
    ) -> list[str]:
        batch, messages, ids = str(uuid4()), [], []
        for family in families:
            for index, tier in enumerate(("bronze", "silver")):
                award_id = uuid4()
                key, at = f"{family}-{tier}", parse_time(AT)
                await stored(db, user, key, context, at, award_id=award_id, batch_id=batch)
                badge = {"key": key, "family": family, "tier": tier, "tier_index": index}
                data = {
                    "award_id": str(award_id),
                    "revision": 1,
                    "user_id": user,
                    "badge": badge | {"name": family.title(), "category": "breadth", "icon": "x"},
                    "context": context,
                    "awarded_at": AT,
                    "source": "auto",
                    "trigger": "ownership.added",
                    "caused_by": {"source": "/s", "id": "1"},
                    "batch_id": batch,
                    "highest_in_family": tier == "silver",
                    "notify": notify,
                    "evidence": {"metric": "genres", "value": 5, "target": 5, **evidence},
                }
                ids.append(f"{award_id}:1")
                headers, value = encode_binary(
                    type="badge.awarded",
                    id=ids[-1],
                    source="gatefold",
                    subject=user,
                    time=at,
                    data=json.dumps(data).encode(),
                )
                messages.append(Outgoing(settings.topic("badge.awarded"), user.encode(), value, headers))
        report = await publisher.publish(messages * times)
        assert len(report.sent) == len(messages) * times
        return ids

    return awarded


@pytest.fixture(scope="module")
def surroundings(settings: Settings, receiver: Receiver, publisher: Publisher) -> dict[str, str]:
    return {
        "GATEFOLD_POSTGRES_URL": f"{settings.postgres_url}?role=gatefold_notifier",
        "GATEFOLD_KAFKA_URL": settings.kafka_url,
        "GATEFOLD_TOPIC_PREFIX": settings.topic_prefix,
        "GATEFOLD_NOTIFIER_PORT": "0",
        "GATEFOLD_NOTIFIER_WEBHOOK_URL": receiver.url,
        "GATEFOLD_NOTIFIER_SECRET": SECRET,
        "GATEFOLD_NOTIFIER_QUIET_SECONDS": "0.5",
        "GATEFOLD_NOTIFIER_SECONDS": "1",
    }


@pytest.fixture(scope="module")
def crew(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    found = Crew(tmp_path_factory.mktemp("notifier"), surroundings, {})
    yield found
    found.stop()
    found.close()
