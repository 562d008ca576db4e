"""Campaigns over a small world, and what they told."""

import json
from typing import Any

from catalog.index import load_catalog
from services.campaigns import acts
from services.stores.campaigns import Campaign, Notify, Scope
from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import added, minutes
from tests.model.oracle import Event

CATALOG = load_catalog()
Awards = dict[tuple[str, str, str], dict[str, Any]]


async def start(
    connection: Connection, scope: Scope, value: str = "", notify: Notify = "none", rate: float = 100.0
) -> Campaign:
    return await acts.start(
        connection, CATALOG, scope=scope, value=value, notify=notify, rate=rate, by="op", reason="test"
    )


async def forget_awards(connection: Connection) -> Awards:
    """As if the badges were newer than all events; what there was."""
    found = await lab.awards_of(connection)
    await connection.execute("delete from user_badges; delete from outbox")
    return found


async def messages(connection: Connection, topic: str = "badge.awarded") -> list[dict[str, Any]]:
    rows = await connection.fetch("select value from outbox where topic = $1 order by id", topic)
    return [json.loads(row["value"]) for row in rows]


def collection(user: str, genres: int) -> list[Event]:
    """One release of each of so many genres, an event a minute."""
    return [
        added(
            f"{user}-{n}",
            (n, {"id": n, "title": f"T{n}", "genres": [f"G{n}"], "year": 1960 + n}),
            user=user,
            time=minutes(n),
        )
        for n in range(1, genres + 1)
    ]
