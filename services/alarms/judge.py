"""Which alarms should stand on a day, by what was counted until then. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from catalog.definition import Manual
from catalog.index import Catalog
from contracts.envelope import rfc3339
from contracts.topics import INPUT_TOPICS
from services.alarms.likely import QUIET_DAYS, Count, Silence, Surprise, silence, surprise
from services.scheduler.dates import midnight
from services.stores import alarms
from services.stores.alarms import Found
from services.stores.holders import EVERYBODY
from services.stores.postgres import Connection

FEWEST_EVALUATIONS: Final = 1000
COUNTERS_NAMED: Final = 20
DAY: Final = timedelta(days=1)


async def judge(connection: Connection, catalog: Catalog, on: date, budget_seconds: float) -> list[Found]:
    """The alarms of a day.

    Units:   `budget_seconds` is what one evaluation of a badge may take on average.
    """
    since = on - timedelta(days=QUIET_DAYS)
    held = _without_gaps(await alarms.holders(connection, since, on))
    heard = await alarms.events(connection, since, on)
    silent = _silent_triggers(catalog, heard)
    return [
        *await _mass_awards(connection, held, on),
        *_silent_badges(catalog, held, {one.subject for one in silent}),
        *silent,
        *await _drift(connection, on),
        *await _costs(connection, on, budget_seconds),
    ]


def _without_gaps(held: Mapping[str, Sequence[Count]]) -> dict[str, list[Count]]:
    """Counts of each badge on every counted day since its first: what was not counted then, nobody held."""
    days = [one.on for one in held.get(EVERYBODY, ())]
    found = {}
    for key, counts in held.items():
        known = dict(counts)
        found[key] = [Count(day, known.get(day, 0)) for day in days if day >= counts[0].on]
    return found


async def _mass_awards(connection: Connection, held: Mapping[str, Sequence[Count]], on: date) -> list[Found]:
    everybody = held.get(EVERYBODY, ())
    if len(everybody) < 2:
        return []
    counted_before, counted = everybody[-2].on, everybody[-1].on
    given = await alarms.backfilled(connection, midnight(counted_before), midnight(counted + DAY))
    return [
        _mass_award(key, unlikely)
        for key, counts in held.items()
        if key not in (EVERYBODY, *given) and (unlikely := surprise(counts, everybody))
    ]


def _mass_award(key: str, found: Surprise) -> Found:
    change, usual = found.change, found.usual
    within = "a day" if change.days == 1 else f"{change.days} days"
    facts = {
        "counted_on": change.on.isoformat(),
        "days": change.days,
        "change": change.by,
        "likely": found.likely,
        "median": usual.middle,
        "busy": usual.busy,
        "spread": round(usual.spread, 3),
        "history": found.days,
    }
    more = "more" if change.by > 0 else "fewer"
    says = f"{abs(change.by):,} {more} holders within {within}, at most {found.likely:,} were likely"
    return Found("mass_award", key, says, facts)


def _silent_triggers(catalog: Catalog, heard: Mapping[str, Sequence[Count]]) -> list[Found]:
    return [
        _silent("silent_trigger", topic, "no event", found)
        for topic in INPUT_TOPICS
        if catalog.trigger(topic).badges and (found := silence(heard.get(topic, ())))
    ]


def _silent_badges(catalog: Catalog, held: Mapping[str, Sequence[Count]], silent: set[str]) -> list[Found]:
    """Badges that nobody earns any more although one of their triggers is still heard: else it is the trigger."""
    return [
        _silent("silent_badge", badge.key, "no new holder", found)
        for badge in catalog.badges.values()
        if not badge.retired
        and not isinstance(badge.criterion, Manual)
        and not set(badge.triggers) <= silent
        and (found := silence(held.get(badge.key, ())))
    ]


def _silent(kind: alarms.Kind, subject: str, what: str, found: Silence) -> Found:
    facts = {"since": found.since.isoformat(), "days": found.days, "likely": found.likely, "gaps": found.gaps}
    says = f"{what} since {found.since}, for {_days(found.days)}; a gap of {_days(found.likely)} at most was likely"
    return Found(kind, subject, says, facts)


async def _drift(connection: Connection, on: date) -> list[Found]:
    start = midnight(on - DAY)
    found = await alarms.drift(connection, start, midnight(on + DAY), COUNTERS_NAMED)
    if found.newest is None:
        return []
    facts = {"sweeps": found.sweeps, "newest": rfc3339(found.newest), "counters": list(found.counters)}
    named = ", ".join(found.counters)
    return [
        Found(
            "drift", "cron.sweep", f"{found.sweeps:,} sweeps found counters wrong since {start.date()}: {named}", facts
        )
    ]


async def _costs(connection: Connection, on: date, budget_seconds: float) -> list[Found]:
    return [
        Found(
            "evaluation_cost",
            family,
            f"an evaluation takes {mean * 1e6:,.0f} µs, {budget_seconds * 1e6:,.0f} µs are the budget",
            {"seconds": mean, "budget_seconds": budget_seconds, "evaluations": cost.evaluations},
        )
        for family, cost in (await alarms.costs(connection, on - DAY, on)).items()
        if cost.evaluations >= FEWEST_EVALUATIONS and (mean := cost.seconds / cost.evaluations) > budget_seconds
    ]


def _days(number: int) -> str:
    return f"{number:,} day{'' if number == 1 else 's'}"
