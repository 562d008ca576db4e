"""The jobs: each does a page of its work in one transaction and says where to go on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from catalog.index import load_catalog
from services.alarms.judge import judge
from services.scheduler.dates import SLICES, days, days_of_year, midnight, slice_of
from services.settings import Settings
from services.stores import alarms, awards, collectors, cron, holders, pruning
from services.stores.awards import Message
from services.stores.cron import Run
from services.stores.postgres import Connection

PAGE: Final = 1000  # users told in one transaction
COUNTED: Final = 2000  # users whose awards are counted in one transaction
ACTIVE_DAYS: Final = 90
ALARMS_DAYS: Final = 400  # alarms that ended are kept for so many days, and what they were found by
LETTERS: Final = "letters"  # where a pruning is when the identities are done
_encode = msgspec.json.Encoder().encode


class Step(NamedTuple):
    """What a page has done: where to go on (None: done), what to add to the run's counts, how much of the total it
    was, how many events it wrote, and what to log once it is committed: warnings, and then news."""

    cursor: str | None
    counts: dict[str, int]
    looked: int
    sent: int = 0
    warnings: Sequence[dict[str, Any]] = ()
    news: Sequence[dict[str, Any]] = ()


class Job(Protocol):
    """A job by its name."""

    name: str
    does: str
    tells: bool  # whether it writes events

    async def total(self, connection: Connection, run: Run) -> int:
        """How much there is to look at, for a progress bar."""

    async def page(self, connection: Connection, run: Run, now: datetime, *, dry_run: bool) -> Step:
        """Do the next page of the run, or with `dry_run` only count it; writes in the caller's transaction."""


class _Telling(ABC):
    """Tells users a day at a time, in order of their ids; the cursor is `<day>/<last user>`."""

    tells = True

    @abstractmethod
    async def users(self, connection: Connection, on: date, after: str) -> list[str]:
        """The next users to tell on a day, PAGE at most."""

    @abstractmethod
    async def number(self, connection: Connection, on: date) -> int:
        """How many they are."""

    @abstractmethod
    def message(self, run: Run, on: date, user: str) -> Message:
        """What a user is told."""

    async def total(self, connection: Connection, run: Run) -> int:
        return sum([await self.number(connection, on) for on in days(run.since, run.due_on)])

    async def page(self, connection: Connection, run: Run, now: datetime, *, dry_run: bool) -> Step:
        written, _, after = run.cursor.partition("/")
        on = date.fromisoformat(written) if written else run.since
        users = await self.users(connection, on, after)
        if users and not dry_run:
            await awards.publish(connection, [self.message(run, on, user) for user in users])
        if len(users) == PAGE:
            cursor: str | None = f"{on}/{users[-1]}"
        else:
            cursor = None if on >= run.due_on else f"{on + timedelta(days=1)}/"
        return Step(cursor, {"users": len(users)}, len(users), len(users))


class Anniversaries(_Telling):
    """`cron.anniversary` for everybody who joined on this day of an earlier year, for each day that was missed too."""

    name = "anniversaries"
    does = "cron.anniversary for those who joined on this day of the year"

    async def users(self, connection: Connection, on: date, after: str) -> list[str]:
        return await cron.joined(connection, days_of_year(on), date(on.year, 1, 1), after, PAGE)

    async def number(self, connection: Connection, on: date) -> int:
        return await cron.count_joined(connection, days_of_year(on), date(on.year, 1, 1))

    def message(self, run: Run, on: date, user: str) -> Message:
        data = _encode({"on": on.isoformat()})
        return Message("cron.anniversary", user, f"anniversary:{on}:{user}", midnight(on), data)


class Sweep(_Telling):
    """`cron.sweep` for a thirtieth of the users, of each night that was missed too: everybody within thirty days."""

    name = "sweep"
    does = f"cron.sweep for one in {SLICES} users: everybody within {SLICES} days"

    async def users(self, connection: Connection, on: date, after: str) -> list[str]:
        return await cron.in_slice(connection, slice_of(on), after, PAGE)

    async def number(self, connection: Connection, on: date) -> int:
        return await cron.count_slice(connection, slice_of(on))

    def message(self, run: Run, on: date, user: str) -> Message:
        return Message("cron.sweep", user, f"sweep:{run.due_on}:{user}", midnight(run.due_on), b"{}")


class CountHolders:
    """Holders of each badge, of all users and of the active ones, added to the history, and who were the first to earn
    it before the day of the run; the cursor is the last user."""

    name = "holders"
    does = f"holders of each badge, of all users and of those active in {ACTIVE_DAYS} days"
    tells = False

    async def total(self, connection: Connection, run: Run) -> int:
        return await collectors.count(connection)

    async def page(self, connection: Connection, run: Run, now: datetime, *, dry_run: bool) -> Step:
        end = midnight(run.due_on + timedelta(days=1))
        found = await holders.count(
            connection,
            run.cursor,
            COUNTED,
            seen_after=run.due_on - timedelta(days=ACTIVE_DAYS),
            at=end if end <= now else None,
        )
        if not dry_run:
            if not run.cursor:
                await holders.forget(connection, run.due_on)
            await holders.add(connection, run.due_on, found.holders)
            await holders.nominate(connection, run.cursor, found.last, before=midnight(run.due_on))
            if found.last is None:
                await holders.complete(connection, run.due_on, load_catalog().shown.badges)
                await holders.rank(connection)
        users = found.holders[holders.EVERYBODY]
        held = sum(count.all for key, count in found.holders.items() if key != holders.EVERYBODY)
        return Step(found.last, {"users": users.all, "active": users.active, "held": held}, users.all)


class Alarms:
    """Looks for what is beyond what history makes likely; what was found before and is not any more has ended."""

    name = "alarms"
    does = "mass awards, silence, drift and cost beyond what history makes likely"
    tells = False

    def __init__(self, budget_seconds: float) -> None:
        self._budget_seconds = budget_seconds

    async def total(self, connection: Connection, run: Run) -> int:
        return 1

    async def page(self, connection: Connection, run: Run, now: datetime, *, dry_run: bool) -> Step:
        newest = await cron.newest(connection, self.name)
        if newest is not None and newest > run.due_on:  # the past raises and ends no alarm any more
            found = await judge(connection, load_catalog(), run.due_on, self._budget_seconds)
            return Step(None, {"found": len(found), "raised": 0, "ended": 0}, 1)
        if not dry_run:
            await alarms.note_events(connection, run.due_on)
        found = await judge(connection, load_catalog(), run.due_on, self._budget_seconds)
        stood = set(await alarms.standing(connection))
        raised, ended = [one for one in found if one[:2] not in stood], sorted(stood - {one[:2] for one in found})
        counts = {"found": len(found), "raised": len(raised), "ended": len(ended)}
        if dry_run:
            return Step(None, counts, 1)
        await alarms.keep(connection, found, ended)
        await alarms.forget(connection, run.due_on - timedelta(days=ALARMS_DAYS))
        return Step(
            None,
            counts,
            1,
            warnings=[{"event": "alarm", **one._asdict()} for one in raised],
            news=[{"event": "alarm ended", "kind": kind, "subject": subject} for kind, subject in ended],
        )


class Prune:
    """What `gatefold prune` does; the cursor is the page of the identities, then LETTERS."""

    name = "prune"
    does = "forget old identities and dead letters that are done with"
    tells = False

    def __init__(self, identities_days: int, letters_days: int) -> None:
        self._identities_days, self._letters_days = identities_days, letters_days

    async def total(self, connection: Connection, run: Run) -> int:
        return await pruning.blocks(connection)

    async def page(self, connection: Connection, run: Run, now: datetime, *, dry_run: bool) -> Step:
        if run.cursor == LETTERS:
            before = midnight(run.due_on) - timedelta(days=self._letters_days)
            letters = await pruning.prune_letters(connection, before, unsent=False, dry_run=dry_run)
            return Step(LETTERS if letters and not dry_run else None, {"letters": letters}, 0)
        start, total = int(run.cursor or 0), await pruning.blocks(connection)
        end = min(start + pruning.BLOCKS, total)
        if end <= start:
            return Step(LETTERS, {"identities": 0}, 0)
        gone = await pruning.prune_block(
            connection, start, end, run.due_on - timedelta(days=self._identities_days), dry_run=dry_run
        )
        return Step(str(end) if end < total else LETTERS, {"identities": gone}, end - start)


def jobs(settings: Settings) -> dict[str, Job]:
    """All jobs by name, what somebody waits for first."""
    found: list[Job] = [
        Anniversaries(),
        CountHolders(),
        Alarms(settings.evaluation_budget_seconds),  # behind the count that it looks at
        Prune(settings.prune_identities_days, settings.prune_letters_days),
        Sweep(),
    ]
    return {job.name: job for job in found}
