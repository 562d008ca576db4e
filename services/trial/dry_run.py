"""A dry run: which badges an event would earn a user, and why; for a sample of users with a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from msgspec import structs

from contracts.envelope import Event, rfc3339
from services.stores import collectors
from services.stores.postgres import Connection, looking
from services.trial.events import DESCRIBED
from services.trial.stage import Passed, Stage
from services.trial.what_if import gained
from services.worker.work import FAULTS, Knowledge

Json: TypeAlias = dict[str, Any]
PAGE = 500


async def dry_run(connection: Connection, knowledge: Knowledge, user_id: str, event: Event) -> Json | None:
    """What the event would earn the user, as things stand; None for a user who is not known.

    Raises:  one of FAULTS where the stored state contradicts itself.
    """
    if event.type != DESCRIBED:
        event = structs.replace(event, subject=user_id)
    async with looking(connection):
        stage = Stage(connection, knowledge)
        if not await stage.copy([user_id]):
            return None
        passed: list[Passed] = []
        for one in await stage.expect([event]):
            passed += await stage.play(one)
    return {
        "user": user_id,
        "event": {"type": event.type, "time": rfc3339(event.time)},
        "passes": [
            {**gained(one), "awarded_at": rfc3339(one.awarded_at), "held": one.held, "shadow": one.badge.shadow}
            for one in passed
        ],
        "awards": sum(not one.held for one in passed),
    }


@dataclass(slots=True)
class Summary:
    """What a dry run over many users came to."""

    users: int = 0
    with_awards: int = 0
    awards: int = 0
    held: int = 0
    by_badge: Counter[str] = field(default_factory=Counter)
    failed: list[Json] = field(default_factory=list)

    def add(self, found: Json) -> None:
        """Count one user's dry run."""
        if "failed" in found:
            self.failed.append(found)
            return
        self.users += 1
        self.with_awards += bool(found["awards"])
        self.awards += found["awards"]
        self.held += len(found["passes"]) - found["awards"]
        self.by_badge.update(one["id"] for one in found["passes"] if not one["held"])

    def shown(self) -> Json:
        """The summary as JSON; badges that most would get come first."""
        return {
            "users": self.users,
            "with_awards": self.with_awards,
            "awards": self.awards,
            "held": self.held,
            "by_badge": dict(sorted(self.by_badge.items(), key=lambda one: (-one[1], one[0]))),
            "failed": self.failed,
        }


async def dry_runs(
    connection: Connection, knowledge: Knowledge, users: Iterable[str], event: Event
) -> AsyncIterator[Json]:
    """The same for each of these users, one after another; who is not known any more is left out.

    Shape:   a user whose stored state contradicts itself has `failed`, the reason, instead.
    """
    for user in users:
        try:
            found = await dry_run(connection, knowledge, user, event)
        except FAULTS as error:
            yield {"user": user, "failed": f"{type(error).__name__}: {error}"}
            continue
        if found is not None:
            yield found


async def every_user(connection: Connection) -> list[str]:
    """All users, in order."""
    found: list[str] = []
    while page := await collectors.page(connection, found[-1] if found else "", PAGE):
        found += page
    return found
