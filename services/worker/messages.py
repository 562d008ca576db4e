"""What is told of an award, earned or by hand: `badge.awarded`."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from catalog.definition import BadgeDefinition
from contracts import hot
from contracts.envelope import rfc3339
from contracts.events.badge import Badge, BadgeAwarded, Cause
from services.stores.awards import Message, Name, NewAward
from services.stores.by_hand import Standing

# The published models, compiled: an import of a collection earns dozens of badges at once.
_Awarded, _Badge, _Cause = hot.struct(BadgeAwarded), hot.struct(Badge), hot.struct(Cause)


def awarded(
    name: Name,
    award: NewAward | Standing,
    badge: BadgeDefinition,
    at: datetime,
    *,
    revision: int = 1,
    highest: bool,
    notify: bool,
) -> Message:
    """The message of an award that was given, or stands again, at a time.

    Shape:   `highest`: no higher tier of the family is held or came with it.
    """
    user_id, _, context = name
    award_id = str(award.award_id)
    told = _Awarded(
        award_id=award_id,
        revision=revision,
        user_id=user_id,
        badge=_badge(badge),
        context=context,
        awarded_at=rfc3339(award.awarded_at),
        source=award.source,
        trigger=award.trigger,
        caused_by=None if award.caused_by is None else _Cause(**award.caused_by),
        batch_id=str(award.batch_id),
        highest_in_family=highest,
        notify=notify,
        campaign_id=award.campaign_id,
        evidence=award.evidence,
    )
    value = msgspec.json.encode(told, order="sorted")
    return Message("badge.awarded", user_id, f"{award_id}:{revision}", at, value)


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
