"""Days that were counted, and what stands then."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg
from prometheus_client import REGISTRY

from services.stores import alarms
from services.stores.alarms import AlarmMark

TODAY = date(2026, 2, 26)  # a Thursday
KEY, OTHER = "genre-tourist-gold", "world-collector-gold"
HELD = """
    insert into user_badges (user_id, badge_key, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence)
    select 'user-' || n, $1, gen_random_uuid(), $2, 'auto', 't', '{}', gen_random_uuid(), '{}'
    from generate_series(1, $3::integer) n
    on conflict do nothing
"""
CAMPAIGN = """
    insert into campaign (campaign_id, scope, scope_value, badge_keys, notify, rate, state, users, started_by, reason,
                          started_at, resumed_at, finished_at)
    values ('c', 'badge', $1, array[$1], 'none', 100, $2, 1, 'chief', 'new', $3, $3, $4)
"""


async def past(db: asyncpg.Connection, key: str, gains: Sequence[int], until: date = TODAY) -> int:
    """Counted days before one, with as many more holders each; answers how many there are at last."""
    first = until - timedelta(days=len(gains))
    held, rows = 0, []
    for at, gain in enumerate(gains):
        held += gain
        rows.append((key, first + timedelta(days=at), held))
    await db.executemany(
        "insert into badge_holders_history values ($1, $2, $3, 0, 0.5, null) on conflict do nothing",
        [*rows, *(("", on, 1) for _, on, _ in rows)],
    )
    return held


async def heard(db: asyncpg.Connection, topic: str, gains: Sequence[int]) -> None:
    """Days on which as many events of a topic were processed, noted until yesterday, and in the ledger now."""
    first, sent, rows = TODAY - timedelta(days=len(gains)), 0, []
    for at, gain in enumerate(gains):
        sent += gain
        rows.append((topic, first + timedelta(days=at), sent))
    await db.executemany("insert into event_history values ($1, $2, $3)", rows)
    await db.execute("insert into offset_ledger values ($1, 0, 0, $2, $2, 0, 0, 0, 'w', now())", topic, sent)


async def hold(db: asyncpg.Connection, key: str, number: int, on: date = TODAY) -> None:
    """So many users hold a badge on that day."""
    await db.execute(HELD, key, datetime.combine(on, time(12), UTC), number)


async def standing(db: asyncpg.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    """The alarms that stand, with their numbers."""
    return {one[:2]: json.loads(one.facts) for one in await alarms.page(db, AlarmMark(), 100, ended=False)}


def shown(kind: str, subject: str) -> float | None:
    return REGISTRY.get_sample_value("gatefold_alarm", {"kind": kind, "subject": subject})
