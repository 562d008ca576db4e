"""Alarms that stand or stood, and the daily numbers by which they are found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from services.alarms.likely import Count
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("alarms")
END: Final = datetime.max.replace(tzinfo=UTC)
Kind = Literal["mass_award", "silent_badge", "silent_trigger", "drift", "evaluation_cost"]
Name = tuple[Kind, str]


class Found(NamedTuple):
    """An alarm that should stand: what it is about, in a sentence, with its numbers."""

    kind: Kind
    subject: str
    says: str
    facts: Mapping[str, Any]


class Alarm(NamedTuple):
    """An alarm as it stands or stood."""

    kind: Kind
    subject: str
    raised_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    says: str
    facts: str


class AlarmMark(msgspec.Struct, array_like=True, frozen=True):
    """Alarms go on before this one."""

    at: datetime = END
    kind: str = ""
    subject: str = ""


class Drift(NamedTuple):
    """How many sweeps found counters wrong, when the last one did, and some of the counters."""

    sweeps: int
    newest: datetime | None
    counters: Sequence[str]


class Cost(NamedTuple):
    """So many evaluations took so long."""

    evaluations: int
    seconds: float


async def holders(connection: Connection, since: date, until: date) -> dict[str, list[Count]]:
    """Holders of each badge day by day, those of '' being all users."""
    return _by_name(await connection.fetch(SQL["holders"], since, until))


async def backfilled(connection: Connection, start: datetime, end: datetime) -> set[str]:
    """Badges that a campaign gave or took back in this time."""
    return {row["badge_key"] for row in await connection.fetch(SQL["backfilled"], start, end)}


async def note_events(connection: Connection, on: date) -> None:
    """Write down how many events of each topic were processed by that day; nothing where a later day is noted."""
    await connection.execute(SQL["note_events"], on)


async def events(connection: Connection, since: date, until: date) -> dict[str, list[Count]]:
    """Events of each topic that were processed, day by day."""
    return _by_name(await connection.fetch(SQL["events"], since, until))


async def note_drift(connection: Connection, counters: Sequence[str]) -> None:
    """Write down that these counters of a user were wrong."""
    await connection.execute(SQL["note_drift"], list(counters))


async def drift(connection: Connection, start: datetime, end: datetime, most: int) -> Drift:
    """What sweeps found wrong in this time; `most` counters are named at most."""
    row = await connection.fetchrow(SQL["drift"], start, end, most)
    assert row is not None
    return Drift(*row)


async def note_costs(connection: Connection, on: date, spent: Mapping[str, Cost]) -> None:
    """Add what evaluating cost, by family, to that day."""
    families = sorted(spent)
    evaluations = [spent[family].evaluations for family in families]
    await connection.execute(SQL["note_costs"], on, families, evaluations, [spent[one].seconds for one in families])


async def costs(connection: Connection, since: date, until: date) -> dict[str, Cost]:
    """What evaluating cost in these days, by family."""
    rows = await connection.fetch(SQL["costs"], since, until)
    return {row["family"]: Cost(row["evaluations"], row["seconds"]) for row in rows}


async def standing(connection: Connection) -> list[Name]:
    """The alarms that stand, in order."""
    return [(row["kind"], row["subject"]) for row in await connection.fetch(SQL["standing"])]


async def keep(connection: Connection, found: Iterable[Found], ended: Iterable[Name]) -> None:
    """Let those that were found stand, and those of these names no more."""
    for one in found:
        await connection.execute(SQL["raise"], one.kind, one.subject, one.says, json.dumps(one.facts))
    for kind, subject in ended:
        await connection.execute(SQL["end"], kind, subject)


async def page(connection: Connection, mark: AlarmMark, limit: int, *, ended: bool) -> list[Alarm]:
    """Alarms before a mark, the newest first: those that stand, or with `ended` all."""
    return [Alarm(*row) for row in await connection.fetch(SQL["page"], mark.at, mark.kind, mark.subject, ended, limit)]


async def forget(connection: Connection, before: date) -> None:
    """Forget what no alarm looks back to, and alarms that ended before that day."""
    await connection.execute(SQL["forget"], before)


def _by_name(rows: Iterable[Any]) -> dict[str, list[Count]]:
    found: dict[str, list[Count]] = {}
    for name, on, number in rows:
        found.setdefault(name, []).append(Count(on, number))
    return found
