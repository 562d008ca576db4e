"""What users were given a moment ago, for those who look at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from services.stores.achievements import Award
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("live")
MOST: Final = 500  # awards of one user that are read at once; older ones of a long absence are not told any more


class Given(NamedTuple):
    """An award that was given, or given again; of one user's awards the later one has the greater number."""

    number: int
    award: Award


async def latest(connection: Connection, user_id: str) -> int:
    """The number of the user's last award; 0 without any."""
    return int(await connection.fetchval(SQL["latest"], user_id))


async def since(connection: Connection, after: Mapping[str, int]) -> dict[str, list[Given]]:
    """What each user was given after a number and should hear of, in order; the newest MOST of it."""
    found: dict[str, list[Given]] = {}
    for row in await connection.fetch(SQL["since"], list(after), list(after.values()), MOST):
        award = Award(
            row["badge_key"], row["context"], row["at"], row["source"], msgspec.Raw(row["evidence"].encode()), 0
        )
        found.setdefault(row["user_id"], []).append(Given(row["given_no"], award))
    return found
