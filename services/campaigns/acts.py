"""What an operator does with campaigns: each act one transaction, with its row in the audit log.

Raises:  UnknownCampaign, WrongState and Overlap, beside those of the scope; nothing is changed then.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from catalog.index import Catalog
from services.campaigns.scope import target
from services.stores import audit, campaigns, collectors
from services.stores.campaigns import Campaign, Notify, Scope, State
from services.stores.postgres import Connection

DEFAULT_RATE: Final = 100.0
MOST_RATE: Final = 100_000.0
UNFINISHED: Final = ("running", "paused", "rolling_back")
# From which states an act is possible.
FROM: Final[dict[str, tuple[State, ...]]] = {
    "pause": ("running",),
    "resume": ("paused",),
    "cancel": ("running", "paused"),
    "rollback": ("running", "paused", "cancelled", "done"),
}


class UnknownCampaign(LookupError):
    """There is no such campaign."""


class WrongState(Exception):
    """The campaign is not where this act could begin."""


class Overlap(Exception):
    """Another campaign is at work on one of these badges."""


async def start(
    connection: Connection,
    catalog: Catalog,
    *,
    scope: Scope,
    value: str = "",
    notify: Notify = "none",
    rate: float = DEFAULT_RATE,
    by: str,
    reason: str,
) -> Campaign:
    """Begin a campaign; the relay sends its sweeps."""
    campaign_id = str(uuid4())
    async with connection.transaction():
        await campaigns.lock(connection)
        wanted = await target(connection, catalog, scope, value)
        other = await campaigns.overlapping(connection, wanted.badge_keys, scope, value)
        if other is not None:
            raise Overlap(f"campaign {other} is at work on some of these badges")
        users = 1 if scope == "user" else await collectors.count(connection)
        now = datetime.now(UTC)
        await campaigns.add(
            connection, campaign_id, scope, value, wanted.badge_keys, notify, rate, users, by, reason, now
        )
        details = {
            "campaign_id": campaign_id,
            "scope": scope,
            "badges": len(wanted.badge_keys),
            "notify": notify,
            "rate": rate,
            "reason": reason,
        }
        if scope != "user":
            details["value"] = value
        await audit.write(connection, by, "campaign.start", details)
        return await _shown(connection, campaign_id)


async def pause(connection: Connection, campaign_id: str, *, by: str) -> Campaign:
    """Send no more for now; what was sent is done."""
    async with connection.transaction():
        await _allowed(connection, campaign_id, "pause")
        await campaigns.pause(connection, campaign_id)
        return await _noted(connection, campaign_id, "pause", by)


async def resume(connection: Connection, campaign_id: str, *, by: str) -> Campaign:
    """Go on where it was paused."""
    async with connection.transaction():
        done = await _allowed(connection, campaign_id, "resume")
        await campaigns.resume(connection, campaign_id, datetime.now(UTC), done)
        return await _noted(connection, campaign_id, "resume", by)


async def cancel(connection: Connection, campaign_id: str, *, by: str) -> Campaign:
    """End it: what was sent is recounted and gives nothing. What it gave stands."""
    async with connection.transaction():
        await _allowed(connection, campaign_id, "cancel")
        await campaigns.cancel(connection, campaign_id, datetime.now(UTC))
        return await _noted(connection, campaign_id, "cancel", by)


async def rollback(connection: Connection, campaign_id: str, *, by: str, reason: str) -> Campaign:
    """Take back what it gave and what is still its own; the relay does it in pages."""
    async with connection.transaction():
        await _allowed(connection, campaign_id, "rollback")
        await campaigns.roll_back(connection, campaign_id, datetime.now(UTC), by, reason)
        return await _noted(connection, campaign_id, "rollback", by, reason=reason)


async def at_stake(connection: Connection, campaign_id: str) -> tuple[int, int]:
    """What a rollback would revoke by now: awards, and users who have them."""
    campaign = await one(connection, campaign_id)
    _check(campaign.state, campaign_id, "rollback")
    return await campaigns.to_take_back(connection, campaign_id)


async def one(connection: Connection, campaign_id: str) -> Campaign:
    """A campaign as it stands."""
    found = await campaigns.show(connection, campaign_id)
    if not found:
        raise UnknownCampaign(f"there is no campaign {campaign_id[:64]!a}")
    return found[0]


async def _allowed(connection: Connection, campaign_id: str, act: str) -> int:
    """Lock campaigns, and answer how many users are done."""
    await campaigns.lock(connection)
    found = await campaigns.state_of(connection, campaign_id)
    if found is None:
        raise UnknownCampaign(f"there is no campaign {campaign_id[:64]!a}")
    state, done = found
    _check(state, campaign_id, act)
    return done


def _check(state: State, campaign_id: str, act: str) -> None:
    if state not in FROM[act]:
        raise WrongState(f"campaign {campaign_id} is {state.replace('_', ' ')}: {act} is not possible")


async def _noted(connection: Connection, campaign_id: str, act: str, by: str, **more: str) -> Campaign:
    await audit.write(connection, by, f"campaign.{act}", {"campaign_id": campaign_id, **more})
    return await _shown(connection, campaign_id)


async def _shown(connection: Connection, campaign_id: str) -> Campaign:
    (found,) = await campaigns.show(connection, campaign_id)
    return found
