"""A campaign as commands and the API show it: the same fields in both."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from contracts.times import rfc3339
from services.stores.campaigns import Campaign


def shown(campaign: Campaign, now: datetime) -> dict[str, Any]:
    """All of it, with the share that is done and, while it runs, when it will probably end."""
    end = estimated_end(campaign, now)
    return {
        "campaign_id": campaign.campaign_id,
        "scope": campaign.scope,
        "value": campaign.value,
        "badges": list(campaign.badge_keys),
        "notify": campaign.notify,
        "rate": campaign.rate,
        "state": campaign.state,
        "users": max(campaign.users, campaign.sent),
        "sent": campaign.sent,
        "done": min(campaign.done, campaign.sent),
        "awards": campaign.awards,
        "standing": campaign.standing,
        "started_by": campaign.started_by,
        "reason": campaign.reason,
        "started_at": rfc3339(campaign.started_at),
        "estimated_end": None if end is None else rfc3339(end),
        "finished_at": None if campaign.finished_at is None else rfc3339(campaign.finished_at),
        "rolled_back_by": campaign.rolled_back_by,
        "rollback_reason": campaign.rollback_reason,
    }


def estimated_end(campaign: Campaign, now: datetime) -> datetime | None:
    """When a running campaign ends if it goes on as it has since it was started or resumed."""
    if campaign.state != "running":
        return None
    rest = max(0, campaign.users - campaign.done)
    seconds = (now - campaign.resumed_at).total_seconds()
    done = campaign.done - campaign.done_before
    rate = min(campaign.rate, done / seconds) if done > 0 and seconds > 0 else campaign.rate
    longest = timedelta(days=36500)
    return (now + min(longest, timedelta(seconds=min(rest / rate, longest.total_seconds())))).replace(microsecond=0)
