"""Before you sell this record: what a change of the collection would earn, and which tiers its numbers would leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field

from catalog.definition import SWEEP, TENURE_METRIC, BadgeDefinition
from contracts import hot
from contracts.envelope import Event
from contracts.events.fields import MAX_LIST, Id, Received
from contracts.events.ownership import Copy, CopyId, OwnershipAdded, OwnershipRemoved
from contracts.events.release import Release
from contracts.snapshot import METRICS, measure
from evaluators.engine import evaluate, evaluate_all
from evaluators.verdict import Verdict
from services.state.collector import OF_CONTEXTS, Collector
from services.stores import ownership
from services.stores.postgres import Connection, looking
from services.trial.stage import Passed, Stage
from services.worker.awarding import occasion_at
from services.worker.work import Knowledge

Json: TypeAlias = dict[str, Any]

SOURCE: Final = "/what-if"
_Added, _Copy = hot.struct(OwnershipAdded), hot.struct(Copy)
_Removed, _CopyId = hot.struct(OwnershipRemoved), hot.struct(CopyId)


class Change(Received):
    """Releases that come, each as one new copy, and copies that leave."""

    add: Annotated[list[Release], Field(max_length=MAX_LIST)] = Field(default=[], description="as in ownership.added")
    remove: Annotated[list[Id], Field(max_length=MAX_LIST)] = Field(default=[], description="instance ids of copies")


decoder: Final = hot.HotDecoder(hot.struct(Change), "")


async def what_if(connection: Connection, knowledge: Knowledge, user_id: str, change: Any, now: datetime) -> Json:
    """What the change would do at the time `now`; copies leave before others come.

    Shape:   `change` has the attributes of `Change`. Secret badges are only spoken of where the user has them.
    """
    catalog = knowledge.catalog
    async with looking(connection):
        copies = await ownership.load_copies(connection, {(user_id, instance) for instance in change.remove})
        unknown = sorted({one for one in change.remove if not _present(copies, user_id, one)})
        # Copies of which something newer was said (clocks differ) leave all the same.
        now = max([now, *(copy.stamp.time + timedelta(microseconds=1) for copy in copies.values())])
        events = _events(user_id, change, set(unknown), now)
        stage = Stage(connection, knowledge)
        await stage.copy([user_id])
        accepted = await stage.expect(events)
        passed: list[Passed] = []
        met: list[Verdict] = []
        before = after = _numbers(Collector(user_id), (), now.date())
        if events:
            collector = stage.work.collectors[user_id]
            had = {key for key, number in collector.unbounded.items() if number}
            before = _numbers(collector, had, now.date())
            occasion = occasion_at(SWEEP, now)
            met = [one for one in evaluate_all(catalog.trigger(SWEEP).badges, collector, occasion) if one.earned]
            for one in accepted:
                passed += await stage.play(one)
            have = {key for key, number in collector.unbounded.items() if number}
            after = _numbers(collector, had | have, now.date())
            lost = [(one, evaluate(one.badge, collector, occasion, one.context)) for one in met]
        else:
            lost = []
    held = {(name[1], name[2]): one for name, one in stage.held.items() if name[0] == user_id}
    return {
        "gains": [gained(one) for one in passed if not one.held and not one.badge.secret],
        "loses": [
            _lost(was, now_, awarded=_stands(held, was.badge, was.context))
            for was, now_ in lost
            if not now_.earned and (not was.badge.secret or _stands(held, was.badge, was.context))
        ],
        "changes": [
            {"metric": metric, "context": context, "before": before.get((metric, context)), "after": value}
            for (metric, context), value in sorted(after.items())
            if before.get((metric, context)) != value
        ],
        "unknown": unknown,
    }


def gained(one: Passed) -> Json:
    """A badge that would be earned."""
    return {
        "id": one.badge.key,
        "name": one.badge.title,
        "category": one.badge.category,
        "tier": one.badge.tier,
        "context": one.context,
        "reason": one.reason,
        "evidence": one.evidence,
        "highest_in_family": one.highest_in_family,
    }


def _lost(was: Verdict, now: Verdict, *, awarded: bool) -> Json:
    """A tier that the numbers would leave; an award of it stands."""
    return {
        "id": was.badge.key,
        "name": was.badge.title,
        "context": was.context,
        "before": was.value,
        "after": now.value,
        "target": now.target,
        "reason": now.reason,
        "award_stands": awarded,
    }


def _stands(held: Mapping[tuple[str, str], Any], badge: BadgeDefinition, context: str) -> bool:
    found = held.get((badge.key, context))
    return found is not None and found.stands


def _present(copies: Mapping[tuple[str, int], Any], user_id: str, instance: int) -> bool:
    copy = copies.get((user_id, instance))
    return copy is not None and copy.present


def _events(user_id: str, change: Any, unknown: set[int], now: datetime) -> list[Event]:
    """The events that such a change would be; new copies have ids that no copy can have."""
    leave = [_CopyId(instance_id=one) for one in dict.fromkeys(change.remove) if one not in unknown]
    come = [_Copy(instance_id=-at, release=one) for at, one in enumerate(change.add, 1)]
    events = []
    if leave:
        events.append(Event("ownership.removed", "removed", SOURCE, user_id, now, _Removed(items=leave), b""))
    if come:
        events.append(Event("ownership.added", "added", SOURCE, user_id, now, _Added(items=come), b""))
    return events


def _numbers(collector: Collector, keys: Iterable[tuple[bytes, int]], on: date) -> dict[tuple[str, str], int | None]:
    """The metrics at a date, and what is counted of these labels, artists and masters, as (metric, context)."""
    found: dict[tuple[str, str], int | None] = {
        (metric, ""): measure(collector, metric, "", on)
        for metric, declared in METRICS.items()
        if not declared.context and metric != TENURE_METRIC
    }
    for facet, value in keys:
        metric, kind = OF_CONTEXTS[facet]
        context = f"{kind}:{value}"
        found[metric, context] = collector.value(metric, context)
    return found
