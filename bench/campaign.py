"""A campaign's sweeps through one worker, beside reading the rows that they need."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from bench import load, worker
from bench.databases import database, session, settle
from bench.load import Sample
from bench.plan import Engines, Scale, Steps
from bench.population import Group, populated
from bench.results import Result
from catalog.index import load_catalog
from contracts.envelope import encode_binary
from services.campaigns import acts
from services.stores import activity, campaigns, ownership
from services.stores.postgres import Connection
from services.worker.runner import HEAVY

TOPIC: Final = "cron.sweep"
USERS: Final = 4_000
WARM: Final = 100  # users who are not measured: a multiple of a bundle
LACK: Final = "delete from user_badges where badge_key like 'genre-tourist%'"


async def campaign(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Users a second of one worker: where nobody lacks anything, and where all lack a family that must be dated."""
    steps.begin("campaign", 2 * scale.rounds)
    group = Group("user", min(USERS, scale.users), scale.records)
    found: list[Result] = []
    async with populated(engines.postgres, [group]) as url:
        for name, prepare in (("nobody lacks anything", "select 1"), ("all lack a family", LACK)):
            best: list[tuple[float, float]] = []
            for _ in range(scale.rounds):
                async with database(engines.postgres, copy_of=url) as copy, session(copy) as connection:
                    await connection.execute(prepare)
                    await settle(connection)
                    reading = await _read(connection, group.members())
                    records = await _sweeps(connection, group.members())
                    run = await worker.drain(copy, engines.kafka, records, topic=TOPIC)
                    best.append((run.rate, reading))
                steps.done(f"{name}: {best[-1][0]:,.0f} users/s, reading alone {best[-1][1]:,.0f}")
            best.sort(key=lambda one: one[0] / one[1])
            ours, floor = best[len(best) // 2]
            note = f"{scale.records} records each; the floor reads the user's stored sets and counts"
            found.append(Result(f"campaign, {name}", "users/s", ours, floor, ">=", 0.5, note))
    return found


async def _read(connection: Connection, users: Sequence[str]) -> float:
    """Users a second whose rows are read by the same statements, as many at a time as a bundle has."""
    statements = (
        "select * from collector where user_id = any($1::text[]) order by user_id for update",
        ownership.SQL["copies_of"],
        ownership.SQL["releases_of"],
        ownership.SQL["counts_of"],
        activity.SQL["of_each"],
        "select user_id, badge_key, context from user_badges where user_id = any($1::text[])",
    )
    size = HEAVY[TOPIC]
    begin = 0.0
    for start in range(0, len(users), size):
        if start == WARM:
            begin = time.perf_counter()
        async with connection.transaction():
            for statement in statements:
                await connection.fetch(statement, users[start : start + size])
    return (len(users) - WARM) / (time.perf_counter() - begin)


async def _sweeps(connection: Connection, users: Sequence[str]) -> list[Sample]:
    """Start a campaign; answers the events that it sends, one for each user."""
    begun = await acts.start(
        connection, load_catalog(), scope="family", value="genre-tourist", by="bench", reason="bench"
    )
    records = []
    for offset, user in enumerate(users):
        one = campaigns.sweep(begun.campaign_id, user, begun.started_at)
        headers, value = encode_binary(
            type=TOPIC, id=one.event_id, source=load.SOURCE, subject=user, time=one.time, data=one.value
        )
        stamp = int(begun.started_at.timestamp() * 1000)
        records.append(Sample(offset, stamp, user.encode(), value, headers, 1))
    return records
