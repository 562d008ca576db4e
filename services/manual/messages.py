"""What is told of awards by hand: `badge.awarded` and `badge.revoked`, as bytes for the outbox."""

from __future__ import annotations

from datetime import datetime

import msgspec

from catalog.definition import BadgeDefinition
from contracts.events.badge import Badge, BadgeAwarded, BadgeRevoked
from contracts.times import rfc3339
from services.stores.awards import Message
from services.stores.by_hand import Name, Standing


def awarded(
    badge: BadgeDefinition, user_id: str, context: str, award: Standing, at: datetime, *, highest: bool, notify: bool
) -> Message:
    """An award was given by hand, or stands again; the message is of the time `at` when that was done."""
    told = BadgeAwarded(
        award_id=str(award.award_id),
        revision=award.revision,
        user_id=user_id,
        badge=Badge(
            key=badge.key,
            family=badge.family,
            tier=badge.tier,
            tier_index=badge.tier_index,
            name=badge.name,
            category=badge.category,
            icon=badge.icon,
        ),
        context=context,
        awarded_at=rfc3339(award.awarded_at),
        source="manual",
        trigger=award.trigger,
        caused_by=None,
        batch_id=str(award.batch_id),
        highest_in_family=highest,
        notify=notify,
        evidence=award.evidence,
    )
    value = msgspec.json.encode(told.model_dump(exclude_unset=True), order="sorted")
    return Message("badge.awarded", user_id, f"{award.award_id}:{award.revision}", at, value)


def revoked(name: Name, award: Standing, at: datetime, *, by: str, reason: str) -> Message:
    """An award was taken back."""
    user_id, badge_key, context = name
    told = BadgeRevoked(
        award_id=str(award.award_id),
        revision=award.revision,
        user_id=user_id,
        badge_key=badge_key,
        context=context,
        revoked_at=rfc3339(at),
        by=by,
        reason=reason,
    )
    value = msgspec.json.encode(told.model_dump(), order="sorted")
    return Message("badge.revoked", user_id, f"{award.award_id}:{award.revision}:revoked", at, value)
