"""What is told of a new award: `badge.awarded`."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from catalog.definition import BadgeDefinition
from contracts import hot
from contracts.envelope import rfc3339
from contracts.events.badge import Badge, BadgeAwarded, Cause
from services.stores.awards import Message, NewAward

# The published models, compiled: an import of a collection earns dozens of badges at once.
_Awarded, _Badge, _Cause = hot.struct(BadgeAwarded), hot.struct(Badge), hot.struct(Cause)


def awarded(award: NewAward, badge: BadgeDefinition, *, highest: bool, notify: bool) -> Message:
    """The message of a new award; `highest`: no higher tier of the family is held or came with it."""
    told = _Awarded(
        award_id=str(award.award_id),
        revision=1,
        user_id=award.user_id,
        badge=_badge(badge),
        context=award.context,
        awarded_at=rfc3339(award.awarded_at),
        source=award.source,
        trigger=award.trigger,
        caused_by=_Cause(**award.caused_by),
        batch_id=str(award.batch_id),
        highest_in_family=highest,
        notify=notify,
        campaign_id=award.campaign_id,
        evidence=award.evidence,
    )
    value = msgspec.json.encode(told, order="sorted")
    return Message("badge.awarded", award.user_id, f"{award.award_id}:1", award.awarded_at, value)


@cache
def _badge(badge: BadgeDefinition) -> Any:
    return _Badge(
        key=badge.key,
        family=badge.family,
        tier=badge.tier,
        tier_index=badge.tier_index,
        name=badge.name,
        category=badge.category,
        icon=badge.icon,
    )
