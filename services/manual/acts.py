"""What an operator does to an award: one transaction with the award, its message and its row in the log, or nothing.

An act locks the user's row like the worker, so it sees what the worker has stored, and the other way round.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from msgspec.structs import replace

from catalog.index import Catalog
from contracts.ids import is_user_id
from contracts.times import rfc3339
from services.missing.asked import is_context
from services.stores import awards, by_hand
from services.stores.awards import Name
from services.stores.by_hand import Standing
from services.stores.postgres import Connection
from services.worker.earned import BATCHES, award_id
from services.worker.messages import awarded

MANUAL: Final = "manual"
LONGEST_REASON: Final = 500
LONGEST_BY: Final = 64
SORTS: Final = range(-(2**31), 2**31)
Outcome = Literal["granted", "reinstated", "revoked", "changed", "unchanged"]


class Unknown(Exception):
    """There is no such user, badge or award; `badge` tells where it is the badge that is unknown."""

    def __init__(self, what: str, *, badge: bool = False) -> None:
        super().__init__(what)
        self.badge = badge


class Unfit(ValueError):
    """A part of the act is not as it must be; `parameter` says which."""

    def __init__(self, parameter: str, why: str) -> None:
        super().__init__(why)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something to which award, when and why; with `dry_run` nothing of it is kept.

    Raises:  Unfit where user id, name of the operator or reason are not as they must be.
    """

    user_id: str
    badge_key: str
    context: str
    reason: str
    by: str
    at: datetime
    dry_run: bool = False

    def __post_init__(self) -> None:
        if not is_user_id(self.user_id):
            raise Unfit("user_id", "expected 1 to 64 of A-Z a-z 0-9 _ . : @ -")
        for parameter, text, most in (("reason", self.reason, LONGEST_REASON), ("by", self.by, LONGEST_BY)):
            if not text.strip() or len(text) > most:
                raise Unfit(parameter, f"1 to {most} characters, not all of them blank")
        for parameter in ("badge_key", "context", "reason", "by"):
            if not _is_text(getattr(self, parameter)):
                raise Unfit(parameter, "NUL and lone surrogates are not allowed in text")

    @property
    def name(self) -> Name:
        return self.user_id, self.badge_key, self.context

    @property
    def place(self) -> str:
        """The badge in words, with what it is for."""
        return f"{self.badge_key} for {self.context}" if self.context else self.badge_key


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act: the award as it now is."""

    outcome: Outcome
    act: Act
    award: Standing

    def shown(self) -> dict[str, Any]:
        """For the API and `--json`."""
        award = self.award
        return {
            "outcome": self.outcome,
            "award_id": str(award.award_id),
            "revision": award.revision,
            "user_id": self.act.user_id,
            "badge_key": self.act.badge_key,
            "context": self.act.context,
            "awarded_at": rfc3339(award.awarded_at),
            "source": award.source,
            "evidence": award.evidence,
            "sort_override": award.sort_override,
            "hidden": award.hidden,
            "revoked_at": None if award.revoked_at is None else rfc3339(award.revoked_at),
            "shadow": award.shadow,
        }


async def grant(connection: Connection, catalog: Catalog, act: Act, *, notify: bool = True) -> Done:
    """Give a badge; who has it keeps it as it is, and a revoked award stands again, with the date it had.

    Shape:   of a badge in the shadow nobody is told.
    Raises:  Unknown badge or user; Unfit context.
    """
    badge = catalog.badges.get(act.badge_key)
    if badge is None:
        raise Unknown(f"There is no badge {act.badge_key[:128]!r}.", badge=True)
    if not (is_context(badge, act.context) if badge.context_kind else act.context == ""):
        kind = badge.context_kind
        raise Unfit("context", f"{badge.key} is earned for a {kind}: {kind}:<id>" if kind else f"{badge.key} has none")
    async with _transaction(connection, act):
        known, erased_at = await by_hand.lock(connection, act.user_id)
        if not known:
            raise Unknown(f"Nothing is known of user {act.user_id!r}.")
        old = await by_hand.award(connection, act.name)
        if old is not None and old.revoked_at is None:
            return Done("unchanged", act, old)
        batch = uuid5(BATCHES, json.dumps([MANUAL, rfc3339(act.at), *act.name, 1 if old is None else old.revision + 1]))
        if old is None:
            id_ = UUID(award_id(*act.name, erased_at))
            evidence = {"reason": act.reason}
            new = Standing(id_, 1, act.at, MANUAL, MANUAL, None, batch, evidence, shadow=badge.shadow)
            await by_hand.grant_award(connection, act.name, new)
        else:
            new = replace(
                old,
                revision=old.revision + 1,
                source=MANUAL,
                trigger=MANUAL,
                caused_by=None,
                batch_id=batch,
                revoked_at=None,
                campaign_id=None,
            )
            await by_hand.change_award(connection, act.name, new)
        await by_hand.tell(connection, act.name, notify=notify)
        higher = {tier.key for tier in catalog.families[badge.family] if tier.tier_index > badge.tier_index}
        highest = not await by_hand.held(connection, act.user_id, higher, act.context)
        told = awarded(act.name, new, badge, act.at, revision=new.revision, highest=highest, notify=notify)
        await awards.publish(connection, [] if new.shadow else [told])
        await _log(connection, act, "grant" if old is None else "reinstate", old, new)
        return Done("granted" if old is None else "reinstated", act, new)


async def revoke(connection: Connection, catalog: Catalog, act: Act) -> Done:
    """Take a badge: the award stays, as revoked, and is not earned again; one that is revoked stays as it is.

    Raises:  Unknown where there is no such award.
    """
    async with _transaction(connection, act):
        old = await _award(connection, catalog, act)
        if old.revoked_at is not None:
            return Done("unchanged", act, old)
        new = replace(old, revoked_at=act.at)
        await by_hand.change_award(connection, act.name, new)
        told = awards.revoked(act.name, new.award_id, new.revision, act.at, by=act.by, reason=act.reason)
        await awards.publish(connection, [] if new.shadow else [told])
        await _log(connection, act, "revoke", old, new)
        return Done("revoked", act, new)


async def edit(connection: Connection, catalog: Catalog, act: Act, changes: dict[str, Any]) -> Done:
    """Set `sort_override`, `hidden` or both of an award, revoked or not; tells nobody.

    Raises:  Unknown where there is no such award; Unfit where nothing is to be set, or no such number can be.
    """
    if not changes:
        raise Unfit("sort_override", "say what to set: sort_override, hidden or both")
    if (sort := changes.get("sort_override")) is not None and sort not in SORTS:
        raise Unfit("sort_override", f"an integer from {SORTS.start} to {SORTS.stop - 1}, or nothing")
    async with _transaction(connection, act):
        old = await _award(connection, catalog, act)
        new = replace(old, **changes)
        if new == old:
            return Done("unchanged", act, old)
        await by_hand.change_award(connection, act.name, new)
        await _log(connection, act, "edit", old, new)
        return Done("changed", act, new)


async def _award(connection: Connection, catalog: Catalog, act: Act) -> Standing:
    """The award, locked behind its user.

    Raises:  Unknown.
    """
    known, _ = await by_hand.lock(connection, act.user_id)
    award = await by_hand.award(connection, act.name)
    if award is not None:
        return award
    if act.badge_key not in catalog.badges:
        raise Unknown(f"There is no badge {act.badge_key[:128]!r}.", badge=True)
    if not known:
        raise Unknown(f"Nothing is known of user {act.user_id!r}.")
    raise Unknown(f"User {act.user_id!r} was never given {act.place[:200]}.")


async def _log(connection: Connection, act: Act, what: str, old: Standing | None, new: Standing) -> None:
    before, after = None if old is None else _columns(old), _columns(new)
    await by_hand.log_act(connection, act.at, act.by, what, act.name, new, act.reason, before, after)


def _columns(award: Standing) -> dict[str, Any]:
    """What acts by hand can change of an award, as the log keeps it."""
    return {
        "revision": award.revision,
        "awarded_at": rfc3339(award.awarded_at),
        "source": award.source,
        "trigger": award.trigger,
        "caused_by": award.caused_by,
        "batch_id": str(award.batch_id),
        "sort_override": award.sort_override,
        "hidden": award.hidden,
        "revoked_at": None if award.revoked_at is None else rfc3339(award.revoked_at),
        "campaign_id": award.campaign_id,
        "shadow": award.shadow,
    }


@asynccontextmanager
async def _transaction(connection: Connection, act: Act) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        await transaction.rollback()
        raise
    if act.dry_run:
        await transaction.rollback()
    else:
        await transaction.commit()


def _is_text(text: str) -> bool:
    """Whether PostgreSQL can store it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
