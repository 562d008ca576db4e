"""What `why` asks about one user: an award, when the stored sets last changed, what their releases do not say."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("why")
GAPS_SECONDS: Final = 1.5

# Kinds of activity, and whether the object is there: by the type of event that says so.
_TYPES: Final = {
    "join+": "user.joined",
    "wish+": "wishlist.added",
    "wish-": "wishlist.removed",
    "review+": "review.approved",
    "edit+": "edit.approved",
    "compare+": "compare.used",
}


class Given(NamedTuple):
    """An award as it is stored; `rule_digest` is None for those of older releases of Gatefold."""

    context: str
    at: datetime
    source: str
    trigger: str
    caused_by: dict[str, str] | None
    evidence: dict[str, Any]
    rule_digest: str | None
    revoked_at: datetime | None
    shadow: bool


class Heard(NamedTuple):
    """When events of a type were last heard, as far as what is stored tells: by sets of the user, or by awards."""

    by_sets: dict[str, datetime]
    by_awards: dict[str, datetime]


async def award(
    connection: Connection, user_id: str, badge_key: str, context: str, *, secrets_too: bool
) -> Given | None:
    """The award, revoked or not, with `secrets_too` also one that is hidden or in the shadow; None without any."""
    row = await connection.fetchrow(SQL["award"], user_id, badge_key, context, secrets_too)
    if row is None:
        return None
    return Given(
        row["context"],
        row["awarded_at"],
        row["source"],
        row["trigger"],
        msgspec.json.decode(row["caused_by"]),
        msgspec.json.decode(row["evidence"]),
        row["rule_digest"],
        row["revoked_at"],
        row["shadow"],
    )


async def newest_context(connection: Connection, user_id: str, badge_key: str, *, secrets_too: bool) -> str | None:
    """The context for which the badge was given last, `secrets_too` as for `award`; None where it was not."""
    found: str | None = await connection.fetchval(SQL["newest_context"], user_id, badge_key, secrets_too)
    return found


async def master(connection: Connection, master_id: int) -> str | None:
    """Title of a master, as far as it is known."""
    found: str | None = await connection.fetchval(SQL["master"], master_id)
    return found


async def heard(connection: Connection, user_id: str) -> Heard:
    """When events of each type were last heard; a type of which nothing is stored is not there."""
    found = Heard({}, {})
    for type_, at, of_award in await connection.fetch(SQL["heard"], user_id):
        if at is not None:
            (found.by_awards if of_award else found.by_sets)[_TYPES.get(type_, type_)] = at
    return found


async def gaps(connection: Connection, user_id: str) -> dict[str, int] | None:
    """Of how many owned `releases` the counted facts lack each field; None where that takes too long to count."""
    try:
        async with connection.transaction():  # where there is one around it, that goes on
            row = await connection.fetchrow(SQL["gaps"], user_id, timeout=GAPS_SECONDS)
    except TimeoutError:
        return None
    assert row is not None
    return dict(row)
