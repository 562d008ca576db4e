"""The simulator: events played on users in memory, or a snapshot with other numbers moved through time.

Shape:   a timeline: what was earned, when, and why, in the order in which it was. The same input gives the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeAlias

from catalog.definition import SWEEP, TENURE_METRIC, BadgeDefinition, metrics_of
from catalog.index import Catalog
from contracts.ids import MAX_ID
from contracts.snapshot import METRICS, MOVING, Occasion, Snapshot, full_years
from contracts.times import rfc3339
from evaluators.engine import evaluate_all
from services.state.collector import Collector
from services.stores import awards
from services.stores.postgres import Connection, looking
from services.trial.events import EMPTY, Script, script
from services.trial.stage import Stage
from services.why import snapshot as snapshots
from services.worker.work import FAULTS, Knowledge

Json: TypeAlias = dict[str, Any]
Overrides: TypeAlias = Mapping[tuple[str, str], int | None]

MOST: Final = 2**31 - 1
FARTHEST_YEARS: Final = 100
OF_A_HUNDRED: Final = 100
_CONTEXT: Final = re.compile(r"(master|label|artist):([1-9][0-9]{0,18})")


class Unfit(ValueError):
    """Such a simulation is not possible; the message says why."""


class UnknownUser(Exception):
    """Nothing is known of the user who was to be copied."""


@dataclass(slots=True)
class Timeline:
    """What a simulation earned, and which lines of the file it could not play."""

    entries: list[Json] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    played: int = 0


async def play(
    connection: Connection, knowledge: Knowledge, lines: Iterable[tuple[int, bytes]], user_id: str | None
) -> Timeline:
    """Play numbered lines, one CloudEvent each: for a copy of one user, or for each user from nothing.

    Raises:  UnknownUser.
    """
    found: Script = script(lines, user_id)
    timeline = Timeline(bad=found.bad, repeated=found.repeated)
    async with looking(connection):
        stage = Stage(connection, knowledge)
        if user_id is not None and not await stage.copy([user_id]):
            raise UnknownUser
        accepted = await stage.expect([event for _, event in found.events])
        for (number, event), one in zip(found.events, accepted, strict=True):
            try:
                passed = await stage.play(one)
            except FAULTS as error:
                timeline.bad.append((number, f"could not be applied: {type(error).__name__}: {error}"))
                continue
            timeline.played += 1
            caused = {"line": number, "type": event.type, "source": event.source, "id": event.id}
            timeline.entries += [
                _entry(
                    award.user_id, award.awarded_at, caused, award.badge, award.context, award.reason, award.evidence
                )
                for award in passed
                if not award.held
            ]
    timeline.bad.sort()
    return timeline


async def travel(
    connection: Connection,
    catalog: Catalog,
    user_id: str | None,
    overrides: Overrides,
    on: date | None,
    today: date,
) -> Timeline:
    """Judge every badge today with other numbers, and on each day until `on` when age or membership completes a year.

    Shape:   a user who is not named begins with nothing; a day in the past is judged alone.
    Raises:  UnknownUser; Unfit for a day that is too far away.
    """
    last = on or today
    if last.year > today.year + FARTHEST_YEARS:
        raise Unfit(f"on: more than {FARTHEST_YEARS} years ahead")
    held: set[tuple[str, str]] = set()
    collector: Collector | None = Collector("")
    if user_id is not None:
        async with looking(connection):
            collector = await snapshots.whole(connection, user_id)
            held = {(key, context) for _, key, context in await awards.of_users(connection, [user_id])}
    if collector is None:
        raise UnknownUser
    first = min(today, last)
    changed = Overridden(collector, overrides, first)
    timeline = Timeline()
    badges: Iterable[BadgeDefinition] = catalog.trigger(SWEEP).badges
    for day in _days(changed, first, last):
        moment = datetime.combine(day, time(), UTC)
        for verdict in evaluate_all(badges, changed, Occasion(SWEEP, moment, day)):
            name = (verdict.badge.key, verdict.context)
            if verdict.earned and name not in held:
                held.add(name)
                caused = {"line": None, "type": SWEEP, "source": None, "id": None}
                timeline.entries.append(
                    _entry(
                        user_id, moment, caused, verdict.badge, verdict.context, verdict.reason, dict(verdict.evidence)
                    )
                )
        timeline.played += 1
        badges = [badge for badge in catalog.trigger(SWEEP).badges if metrics_of(badge.criterion) & MOVING]
    return timeline


def _entry(
    user_id: str | None,
    at: datetime,
    caused: Json,
    badge: BadgeDefinition,
    context: str,
    reason: str,
    evidence: Json,
) -> Json:
    return {
        "time": rfc3339(at),
        "user": None if user_id is None else user_id.removesuffix(EMPTY),
        "event": caused,
        "badge": badge.key,
        "context": context,
        "reason": reason,
        "evidence": evidence,
        "shadow": badge.shadow,
    }


def _days(snapshot: Snapshot, first: date, last: date) -> list[date]:
    """The first day, those on which a number that moves with the calendar may reach another year, and the last."""
    days = {first, last}
    for year in range(first.year + 1, last.year + 1):
        days.add(date(year, 1, 1))
    if (joined := snapshot.joined_on) is not None:
        for year in range(first.year, last.year + 1):
            day = date(year, 2, 28) if (joined.month, joined.day) == (2, 29) else joined.replace(year=year)
            if full_years(joined, day) < year - joined.year:
                day = joined.replace(year=year)  # 29 February of a leap year
            days.add(day)
    return sorted(day for day in days if first <= day <= last)


class Overridden:
    """A snapshot of which some metrics are said to have other values; None is unknown.

    Shape:   by (metric, context). Age and membership are as of `on`, and move on from there; a share of a label or an
             artist is one of a catalogue of a hundred.
    """

    def __init__(self, snapshot: Snapshot, overrides: Overrides, on: date) -> None:
        self._snapshot, self._overrides = snapshot, overrides
        self.user_id = snapshot.user_id
        self.joined_on, self.oldest_year = snapshot.joined_on, snapshot.oldest_year
        if (TENURE_METRIC, "") in overrides:
            years = overrides[TENURE_METRIC, ""]
            self.joined_on = None if years is None else _years_before(on, years)
        if ("oldest_age_years", "") in overrides:
            age = overrides["oldest_age_years", ""]
            self.oldest_year = None if age is None else on.year - age

    def value(self, metric: str, context: str = "") -> int | None:
        """The metric's value, another one where it is said to have one."""
        key = (metric, context)
        return self._overrides[key] if key in self._overrides else self._snapshot.value(metric, context)

    def contexts(self, metric: str) -> Iterable[str]:
        """The contexts of the snapshot and those that are spoken of."""
        known = dict.fromkeys(self._snapshot.contexts(metric))
        return list(known | dict.fromkeys(context for of, context in self._overrides if of == metric and context))

    def details(self, metric: str, context: str = "") -> Mapping[str, Any]:
        """What evidence names beside the number."""
        key = (metric, context)
        if key not in self._overrides:
            return self._snapshot.details(metric, context)
        kind, _, id_ = context.partition(":")
        found: dict[str, Any] = {f"{kind}_id": int(id_)} if id_ else {}
        if kind in ("label", "artist") and (share := self._overrides[key]) is not None:
            found |= {"owned": share, "total": OF_A_HUNDRED}
        return found


def _years_before(on: date, years: int) -> date:
    if years >= on.year:
        raise Unfit(f"{TENURE_METRIC}: so long ago there was no year")
    if (on.month, on.day) == (2, 29):
        return date(on.year - years, 2, 28)
    return on.replace(year=on.year - years)


def overrides_of(said: Mapping[str, Any]) -> dict[tuple[str, str], int | None]:
    """Overrides by `metric` or `metric@context`.

    Raises:  Unfit for an unknown metric, a context that it does not have, or a value that is no number.
    """
    found: dict[tuple[str, str], int | None] = {}
    for name, value in said.items():
        metric, _, context = name.partition("@")
        if metric not in METRICS:
            raise Unfit(f"{name[:80]!r} is no metric; there are {', '.join(METRICS)}")
        kind = METRICS[metric].context
        match = _CONTEXT.fullmatch(context)
        if kind and (match is None or match[1] != kind or int(match[2]) > MAX_ID):
            raise Unfit(f"{metric} is counted for a {kind}: {metric}@{kind}:<id>")
        if context and not kind:
            raise Unfit(f"{metric} has no contexts")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST):
            raise Unfit(f"{name}: expected a whole number from 0, or null for unknown")
        found[metric, context] = value
    return found
