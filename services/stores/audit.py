"""What operators did: one row for each act, in its transaction; rows are never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("audit")


async def write(connection: Connection, by: str, act: str, details: Mapping[str, Any]) -> None:
    """Note an act. Details name no collector: a deletion does not reach them."""
    await connection.execute(SQL["write"], by, act, json.dumps(details))
