"""Awards as operators give, take and change them, and the log of what they did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from services.stores.awards import Name
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("by_hand")


class Standing(msgspec.Struct, frozen=True):
    """An award as it is stored; nothing caused one by hand."""

    award_id: UUID
    revision: int
    awarded_at: datetime
    source: str
    trigger: str
    caused_by: dict[str, str] | None
    batch_id: UUID
    evidence: dict[str, Any]
    sort_override: int | None = None
    hidden: bool = False
    revoked_at: datetime | None = None
    campaign_id: str | None = None
    shadow: bool = False


class Entry(NamedTuple):
    """A row of the log; of a deleted user `user_hash` is left, and everything that could name the user is None."""

    id: int
    at: datetime
    by: str
    act: str
    user_id: str | None
    user_hash: str | None
    badge_key: str
    context: str | None
    award_id: UUID | None
    revision: int
    reason: str | None
    before: str | None
    after: str | None


async def lock(connection: Connection, user_id: str) -> tuple[bool, datetime | None]:
    """Lock a user's row; whether the user is known, and the time of the last deletion."""
    row = await connection.fetchrow(SQL["lock"], user_id)
    return row is not None, None if row is None else row["erased_at"]


async def award(connection: Connection, name: Name) -> Standing | None:
    """An award, revoked or not, locked until the end of the transaction."""
    row = await connection.fetchrow(SQL["award"], *name)
    if row is None:
        return None
    found = dict(row)
    return Standing(**found | {name: msgspec.json.decode(found[name]) for name in ("caused_by", "evidence")})


async def held(connection: Connection, user_id: str, badge_keys: Iterable[str], context: str) -> set[str]:
    """Which of these badges a user holds in a context; one that is revoked or in the shadow is not."""
    return {row["badge_key"] for row in await connection.fetch(SQL["held"], user_id, list(badge_keys), context)}


async def grant_award(connection: Connection, name: Name, new: Standing) -> None:
    """Store an award by hand; the user's row is locked, so nobody else can have stored it meanwhile."""
    await connection.execute(
        SQL["grant_award"], *name, new.award_id, new.awarded_at, new.batch_id, _json(new.evidence), new.shadow
    )


async def change_award(connection: Connection, name: Name, new: Standing) -> None:
    """Store what changed of an award; its id, date and evidence stay."""
    await connection.execute(
        SQL["change_award"],
        *name,
        new.revision,
        new.source,
        new.trigger,
        _json(new.caused_by),
        new.batch_id,
        new.sort_override,
        new.hidden,
        new.revoked_at,
        new.campaign_id,
    )


async def tell(connection: Connection, name: Name, *, notify: bool) -> None:
    """Make an award the user's last one, and store whether the user should hear of it."""
    await connection.execute(SQL["tell"], *name, notify)


async def log_act(
    connection: Connection,
    at: datetime,
    by: str,
    act: str,
    name: Name,
    new: Standing,
    reason: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> int:
    """Write an act down, in its transaction; answers its number."""
    return int(
        await connection.fetchval(
            SQL["log_act"],
            at,
            by,
            act,
            *name,
            new.award_id,
            new.revision,
            reason,
            None if before is None else _json(before),
            _json(after),
        )
    )


async def page_of_log(
    connection: Connection, before: int | None, user_id: str | None, badge_key: str | None, limit: int
) -> list[Entry]:
    """The newest acts before the one of this number, of one user or badge or of all."""
    return [Entry(*row) for row in await connection.fetch(SQL["page_of_log"], before, user_id, badge_key, limit)]


def _json(value: dict[str, Any] | None) -> str:
    return msgspec.json.encode(value).decode()
