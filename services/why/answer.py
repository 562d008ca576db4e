"""Why a user has a badge, or has it not: the questions to PostgreSQL that it needs, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

from catalog import lock
from catalog.definition import BadgeDefinition, Coverage, metrics_of
from catalog.index import Catalog
from contracts.snapshot import Occasion
from contracts.times import rfc3339
from evaluators.remaining import EARNED, REACHED, RETIRED, REVOKED
from evaluators.tree import Node, tree
from services.api.view import target_of
from services.missing.asked import Unfit, is_context
from services.stores import collectors
from services.stores import missing as missing_store
from services.stores import why as store
from services.stores.missing import Whole
from services.stores.postgres import Connection, looking
from services.stores.why import Given, Heard
from services.why import gaps, snapshot

Json: TypeAlias = dict[str, Any]


class Asked(NamedTuple):
    """Which badge, for which context ('': the one it was given for last, else the nearest), as of when.

    Shape:   `secrets_too`: also what the user must not know of, awards that are hidden or in the shadow; for operators.
    """

    badge_key: str
    context: str
    now: datetime
    secrets_too: bool = False


async def known(connection: Connection, user_id: str) -> bool:
    """Whether anything is known of the user."""
    return bool(await collectors.load(connection, [user_id]))


async def why(connection: Connection, user_id: str, catalog: Catalog, asked: Asked) -> Json | None:
    """The answer; None where there is no such badge, or the user must not know of it.

    Raises:  Unfit for a context that the badge does not have.
    """
    async with looking(connection):
        return await _why(connection, user_id, catalog, asked)


async def _why(connection: Connection, user_id: str, catalog: Catalog, asked: Asked) -> Json | None:
    badge = catalog.badges.get(asked.badge_key)
    if badge is not None:
        _check(badge, asked.context)
        if badge.secret and not asked.secrets_too and not await missing_store.seen(connection, user_id, badge.key):
            return None
    too = asked.secrets_too
    context = asked.context or await store.newest_context(connection, user_id, asked.badge_key, secrets_too=too) or ""
    award = await store.award(connection, user_id, asked.badge_key, context, secrets_too=too)
    if badge is None:
        return None if award is None or award.revoked_at else _without_rule(asked.badge_key, award)
    if badge.context_kind and not context:
        context = await _nearest(connection, user_id, badge)
        award = await store.award(connection, user_id, badge.key, context, secrets_too=too) if context else None
    collector, name = await snapshot.of_context(connection, user_id, context)
    node = tree(badge, collector, Occasion("", asked.now, asked.now.date()), context)
    fields = gaps.fields_of(sorted(metrics_of(badge.criterion)))
    counted = await store.gaps(connection, user_id) if fields else {}
    heard = await store.heard(connection, user_id)
    return {
        "id": badge.key,
        "name": badge.title,
        "description": badge.description,
        "context": context,
        "context_name": name,
        "earned": award is not None and award.revoked_at is None,
        "met_today": node.truth,
        "remaining": _remaining(badge, award, node),
        "criterion": shown(node),
        "snapshot": _age(heard, asked.now),
        **_events(badge, heard),
        "gaps": None if counted is None else gaps.in_words(fields, counted) if counted else [],
        "award": None if award is None else _award(award, lock.digest(badge)),
        # Named to operators alone: nobody else is given a badge or an award that is one.
        **({"shadow": True} if badge.shadow or (award is not None and award.shadow) else {}),
    }


def _check(badge: BadgeDefinition, context: str) -> None:
    if context and not badge.context_kind:
        raise Unfit("context", f"{badge.key} has no contexts")
    if context and not is_context(badge, context):
        raise Unfit("context", f"{badge.key} is earned for a {badge.context_kind}: {badge.context_kind}:<id>")


async def _nearest(connection: Connection, user_id: str, badge: BadgeDefinition) -> str:
    """The context in which the user lacks least, of those without the badge; '' where there is none."""
    whole, criterion = cast(Whole, badge.context_kind), badge.criterion
    least = criterion.min_total if isinstance(criterion, Coverage) else 1
    target = target_of(criterion) or 1
    id_ = await missing_store.nearest(connection, user_id, whole, badge.key, target=target, min_total=least)
    return "" if id_ is None else f"{whole}:{id_}"


def shown(node: Node) -> Json:
    """A node of the tree as JSON."""
    return {
        "kind": node.kind,
        "words": node.words,
        "metric": node.metric,
        "value": node.value,
        "target": node.target,
        "truth": node.truth,
        "reason": node.reason,
        "remaining": node.remaining,
        "children": [shown(child) for child in node.children],
    }


def _remaining(badge: BadgeDefinition, award: Given | None, node: Node) -> str:
    if award is not None:
        return EARNED if award.revoked_at is None else REVOKED
    return RETIRED if badge.retired else node.remaining or REACHED


def _age(heard: Heard, now: datetime) -> Json:
    """When the stored sets last changed, and how many days ago that is (by UTC dates)."""
    newest = max(heard.by_sets.values(), default=None)
    if newest is None:
        return {"changed_at": None, "days": None}
    return {"changed_at": rfc3339(newest), "days": max(0, (now.date() - newest.date()).days)}


def _events(badge: BadgeDefinition, heard: Heard) -> Json:
    """The last event of each trigger, as far as stored sets and awards tell."""
    triggers: list[Json] = []
    newest: datetime | None = None
    for type_ in badge.triggers:
        found = {"sets": heard.by_sets.get(type_), "awards": heard.by_awards.get(type_)}
        told = {by: at for by, at in found.items() if at is not None}
        by = max(told, key=lambda one: told[one], default=None)
        last = None if by is None else told[by]
        newest = max(filter(None, (newest, last)), default=None)
        triggers.append({"type": type_, "last_event_at": None if last is None else rfc3339(last), "told_by": by})
    since = "no subscribed event yet" if newest is None else f"no subscribed event since {rfc3339(newest)}"
    return {"triggers": triggers, "since": since}


def _award(award: Given, now: str | None) -> Json:
    then = award.rule_digest
    return {
        "unlocked_at": rfc3339(award.at),
        "source": award.source,
        "trigger": award.trigger,
        "caused_by": award.caused_by,
        "evidence": award.evidence,
        "revoked_at": None if award.revoked_at is None else rfc3339(award.revoked_at),
        "rule": {"then": then, "now": now, "changed": None if then is None else then != now},
    }


def _without_rule(key: str, award: Given) -> Json:
    """An award of a badge that this catalog does not know: earned is kept."""
    return {
        "id": key,
        "name": key,
        "description": "No longer in the catalog.",
        "context": award.context,
        "context_name": None,
        "earned": True,
        "met_today": None,
        "remaining": EARNED,
        "criterion": None,
        "snapshot": {"changed_at": None, "days": None},
        "triggers": [],
        "since": "",
        "gaps": [],
        "award": _award(award, None),
    }
