"""What would be earned: what-if, dry runs, simulations."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from services.api.models.answer import Answer


class Gain(Answer):
    """A badge that would be earned."""

    id: str
    name: str
    category: str
    tier: str | None
    context: str
    reason: str
    evidence: dict[str, Any]
    highest_in_family: bool | None


class Loss(Answer):
    """A tier that the numbers would leave."""

    id: str
    name: str
    context: str
    before: int | None
    after: int | None
    target: int
    reason: str
    award_stands: bool = Field(description="Whether you have the award: it stays.")


class MetricChange(Answer):
    """A number before and after."""

    metric: str
    context: str
    before: int | None
    after: int | None


class WhatIf(Answer):
    """What a change of the collection would do; nothing was written."""

    gains: list[Gain]
    loses: list[Loss]
    changes: list[MetricChange]
    unknown: list[int] = Field(description="Instance ids of `remove` that you do not have.")


class Passes(Gain):
    """A badge that passes; where it is held already it is not given again, in the `shadow` it is kept and not told."""

    awarded_at: str
    held: bool
    shadow: bool


class TriedEvent(Answer):
    """The event of a dry run."""

    type: str
    time: str


class DryRunOfUser(Answer):
    """What the event would earn one user."""

    user: str
    event: TriedEvent
    passes: list[Passes]
    awards: int = Field(description="Those that are not held already.")


class DryRunFailed(Answer):
    """A user whose stored state contradicts itself."""

    user: str
    failed: str


class DryRunSummary(Answer):
    """Over all users of the dry run."""

    users: int
    with_awards: int
    awards: int
    held: int
    by_badge: dict[str, int]
    failed: list[DryRunFailed]


class DryRun(Answer):
    """What an event would earn; nothing was written."""

    runs: list[DryRunOfUser]
    summary: DryRunSummary


class SimulatedCause(Answer):
    """The event behind an entry; `line` is its place in the list, from 1."""

    line: int | None
    type: str
    source: str | None
    id: str | None


class SimulatedAward(Answer):
    """An award of a simulation."""

    time: str
    user: str | None
    event: SimulatedCause
    badge: str
    context: str
    reason: str
    evidence: dict[str, Any]
    shadow: bool


class BadLine(Answer):
    """An event that cannot be played."""

    line: int
    reason: str


class Simulation(Answer):
    """A timeline of awards; nothing was written."""

    timeline: list[SimulatedAward]
    played: int
    bad: list[BadLine]
    repeated: list[int] = Field(description="Places of events whose source and id came before.")
