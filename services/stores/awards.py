"""Awards, given once, and the messages that tell of them in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from contracts.envelope import serialise
from contracts.events.badge import BadgeRevoked
from contracts.times import rfc3339
from services.stores.postgres import Connection
from services.stores.queries import column, columns, document, statements

SQL = statements("awards")

Name = tuple[str, str, str]  # user, badge key, context


class NewAward(msgspec.Struct, frozen=True):
    """An award as it is stored.

    Shape:   `rule_digest` is that of its badge's rule, as in the lock; `campaign_id` where a campaign gave it; in the
             `shadow` it is kept, and no collector sees it; `notify`: the user should be told.
    """

    user_id: str
    badge_key: str
    context: str
    award_id: str
    awarded_at: datetime
    trigger: str
    caused_by: dict[str, str]
    batch_id: str
    evidence: dict[str, Any]
    rule_digest: str
    source: Literal["auto", "backfill"] = "auto"
    campaign_id: str | None = None
    shadow: bool = False
    notify: bool = True

    @property
    def name(self) -> Name:
        return self.user_id, self.badge_key, self.context


class Message(msgspec.Struct, frozen=True):
    """A message for the relay: topic, Kafka key, CloudEvents id and time, the data's bytes."""

    topic: str
    subject: str
    event_id: str
    time: datetime
    value: bytes


async def held(
    connection: Connection, users: Iterable[str], badge_keys: Iterable[str], contexts: Iterable[str]
) -> set[Name]:
    """Awards these users have of these badges in these contexts, revoked ones and those in the shadow included."""
    rows = await connection.fetch(SQL["held"], *(column(list(one)) for one in (users, badge_keys, contexts)))
    return {(user, key, context) for user, key, context in rows}


async def of_users(connection: Connection, users: Iterable[str]) -> dict[Name, tuple[datetime, bool]]:
    """All awards of these users: their time, and whether they stand; in the shadow, or revoked, they do not."""
    rows = await connection.fetch(SQL["of_users"], list(users))
    return {(row["user_id"], row["badge_key"], row["context"]): (row["awarded_at"], row["stands"]) for row in rows}


async def since(connection: Connection, user_id: str) -> dict[tuple[str, str], datetime]:
    """Since when a user has each badge, by key and context; revoked ones and those in the shadow are not had."""
    rows = await connection.fetch(SQL["since"], user_id)
    return {(row["badge_key"], row["context"]): row["awarded_at"] for row in rows}


async def insert(connection: Connection, awards: Sequence[NewAward]) -> set[Name]:
    """Store awards; answers those that did not stand before."""
    if not awards:
        return set()
    new = [
        (
            *one.name,
            one.award_id,
            one.awarded_at,
            one.trigger,
            document(one.caused_by),
            one.batch_id,
            document(one.evidence),
            one.rule_digest,
            one.source,
            one.campaign_id,
            one.shadow,
            one.notify,
        )
        for one in awards
    ]
    found = await connection.fetch(SQL["insert"], *columns(sorted(new)))
    return {(user, key, context) for user, key, context in found}


def revoked(name: Name, award_id: UUID, revision: int, at: datetime, *, by: str, reason: str) -> Message:
    """The message of an award that was taken back, by hand or with its campaign."""
    user_id, badge_key, context = name
    told = BadgeRevoked(
        award_id=str(award_id),
        revision=revision,
        user_id=user_id,
        badge_key=badge_key,
        context=context,
        revoked_at=rfc3339(at),
        by=by,
        reason=reason,
    )
    return Message("badge.revoked", user_id, f"{award_id}:{revision}:revoked", at, serialise(told))


async def publish(connection: Connection, messages: Sequence[Message]) -> None:
    """Hand messages to the relay, in this order."""
    if messages:
        await connection.execute(
            SQL["publish"],
            *columns((one.topic, one.subject, one.event_id, one.time) for one in messages),
            [one.value for one in messages],
        )


async def ids(connection: Connection) -> frozenset[str]:
    """The id of every award that is shown and stands, as messages carry it."""
    return frozenset(str(row["award_id"]) for row in await connection.fetch(SQL["ids"]))
