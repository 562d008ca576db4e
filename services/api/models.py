"""The answers as OpenAPI shows them; `tests` hold the answers against these models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An object with exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Rarity(Answer):
    """How many collectors hold a badge; null while nobody has counted yet. `text` is what to show of it."""

    holders: int | None
    share: float | None = Field(description="0 … 1 of all collectors, six decimals.")
    active_holders: int | None = Field(description="Those who did something in the 90 days before the daily count.")
    share_active: float | None = Field(description="0 … 1 of the collectors who did, six decimals.")
    rank: int | None = Field(
        description="17: the 17th collector to earn it. Told to the first hundred, the day after, and never changed."
    )
    text: str | None = Field(
        description='"held by 7 collectors, 3rd to earn it"; percentages from 20 holders on.',
    )


class Achievement(Answer):
    """A badge that the user has earned, once per context."""

    id: str = Field(description="The badge's key: `<family>-<tier>`, or the family where it has no tiers.")
    category: str = Field(description='"retired" where this catalog does not know the badge.')
    name: str
    tier: str | None
    description: str
    unlocked_at: str = Field(description="RFC 3339, UTC.")
    evidence: dict[str, Any] = Field(description="The numbers that decided, as they were then.")
    context: str = Field(description='What it was earned for, "master:1234"; empty for most badges.')
    rarity: Rarity
    hidden_until_earned: bool
    source: Literal["auto", "manual", "backfill"]
    icon: str | None = Field(description="Path of an SVG.")


class Stats(Answer):
    """Over all awards of the user, not just this page."""

    total_earned: int
    by_category: dict[str, int]
    rarest: Achievement | None = Field(description="The one with the fewest holders; null while none is counted.")


class AchievementList(Answer):
    """Awards, greatest `sort_override ?? sort_score` first, then the newest, then by id and context."""

    achievements: list[Achievement]
    stats: Stats
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


class ProgressEntry(Answer):
    """The next tier of a family."""

    id: str
    name: str
    category: str
    next_tier: str | None
    context: str
    current: int | None = Field(description="null: not known.")
    target: int
    remaining: int | None = Field(description="null where `current` is not known or the tier is out of reach.")
    reachable: bool
    ceiling: int | None = Field(description="The most that can ever be, where there is such a number.")
    reason: str
    hint: str = Field(description='What is still to do: "Add 32 more Warp Records releases".')
    evidence: dict[str, Any]
    icon: str


class ProgressList(Answer):
    """Nearest first, what is out of reach last."""

    in_progress: list[ProgressEntry]


class Summary(Answer):
    """The statistics alone, with the newest award."""

    total_earned: int
    by_category: dict[str, int]
    rarest: Achievement | None
    most_recent: Achievement | None


class Share(Answer):
    """How much of a label's or an artist's catalogue the user owns."""

    owned: int
    total: int = Field(description="Releases of the label, works of the artist, in the catalogue of that date.")
    percentage: float = Field(description="To one decimal, rounded down; 100 at most.")
    as_of: str


class ContextAward(Answer):
    """One award of a badge."""

    context: str
    unlocked_at: str
    source: Literal["auto", "manual", "backfill"]
    evidence: dict[str, Any]
    today: Share | None = Field(description="Of a label or an artist: the share as it is now; null for other badges.")


class Rung(Answer):
    """One tier of the family."""

    id: str
    tier: str | None
    target: int | None = Field(description="null for badges given by hand or by a compound rule.")
    earned: bool
    unlocked_at: str | None = Field(description="Since when, in whatever context.")


class AchievementDetail(Achievement):
    """A badge, earned or not; evidence, source and unlocked_at are null while it is not."""

    unlocked_at: str | None  # type: ignore[assignment]
    evidence: dict[str, Any] | None  # type: ignore[assignment]
    source: Literal["auto", "manual", "backfill"] | None  # type: ignore[assignment]
    earned: bool
    awards: list[ContextAward] = Field(description="One per context, in list order.")
    ladder: list[Rung]
    next_cursor: str | None = Field(description="For the next page of `awards`.")


class MissingEntry(Answer):
    """A release, a work or a value that is missing; of these fields it has those that apply."""

    release_id: int | None = None
    master_id: int | None = None
    title: str | None = Field(default=None, description="null: not known.")
    year: int | None = Field(default=None, description="null: not known.")
    value: str | None = Field(default=None, description='"Jazz", "Iceland", "1970s".')
    facet: Literal["genre", "style"] | None = None
    owned: int | None = Field(default=None, description="Releases of this value that you have.")
    needed: int | None = Field(default=None, description="How many more of them it takes.")


class MissingList(Answer):
    """What is missing for a badge; of a label, an artist or a master all that you do not own, also beyond the tier."""

    id: str
    context: str = Field(description="The one asked for, else the nearest; empty where there is none.")
    context_name: str | None = Field(description="Of the label, artist or master, as far as it is known.")
    kind: str | None = Field(description='What `owned`, `total` and `needed` count: "releases", "masters", "genres".')
    owned: int | None = Field(description="null: not known.")
    total: int | None = Field(description="Of how many in all; null where that is not known or has no end.")
    as_of: str | None = Field(description="Date of the catalogue that `total` is from.")
    target: int | None = Field(description="Of the tier; in percent for labels and artists.")
    needed: int | None = Field(description="How many more the tier takes; null where that is not known.")
    remaining: str = Field(description="The same in words.")
    missing: list[MissingEntry] = Field(description="Oldest first, what has no year last; values in a fixed order.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


class WhyNode(Answer):
    """One criterion: of `all`, `any` and `not` the value is how many parts hold."""

    kind: Literal["threshold", "coverage", "tenure", "manual", "all", "any", "not"]
    words: str = Field(description='The rule: "genres >= 10".')
    metric: str | None
    value: int | None = Field(description="null: not known.")
    target: int
    truth: bool | None = Field(description="null: not known, or given by hand only.")
    reason: str
    remaining: str | None = Field(description="What is still to do; null where it holds or is not wanted.")
    children: list[WhyNode]


class SnapshotAge(Answer):
    """When what is stored of the user's collection and activity last changed."""

    changed_at: str | None
    days: int | None


class WhyTrigger(Answer):
    """An event type that the badge subscribes to, and the last one that anything stored tells of."""

    type: str
    last_event_at: str | None
    told_by: Literal["sets", "awards"] | None = Field(description="The user's copies and activity, or an award.")


class Gap(Answer):
    """Owned releases whose facts lack what the badge reads."""

    field: str
    missing: int
    releases: int
    words: str


class RuleDigest(Answer):
    """The rule as the catalog's lock digests it."""

    then: str | None = Field(description="At the award; null where that was not kept.")
    now: str | None = Field(description="null where this catalog does not know the badge.")
    changed: bool | None


class WhyAward(Answer):
    """The award, its event and its evidence."""

    unlocked_at: str
    source: Literal["auto", "manual", "backfill"]
    trigger: str
    caused_by: dict[str, Any] | None = Field(description="source and id of the event.")
    evidence: dict[str, Any]
    revoked_at: str | None
    rule: RuleDigest


class Why(Answer):
    """Why a badge is held, or is not."""

    id: str
    name: str
    description: str
    context: str = Field(description="The one asked for, else that of the newest award, else the nearest.")
    context_name: str | None
    earned: bool
    met_today: bool | None = Field(description="Whether today's numbers are enough; null: not known.")
    remaining: str
    criterion: WhyNode | None = Field(description="null where this catalog does not know the badge.")
    snapshot: SnapshotAge
    triggers: list[WhyTrigger]
    since: str
    gaps: list[Gap] | None = Field(description="The largest first; null where counting took too long.")
    award: WhyAward | None
    shadow: bool = Field(default=False, description="Not shown to collectors yet; only admins are told.")


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


class Fault(BaseModel):
    """One parameter that is wrong."""

    where: str = Field(alias="in")
    parameter: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Ready(Answer):
    """PostgreSQL answers; how far behind worker and relay are."""

    status: Literal["ready"]
    stores: dict[str, Literal["up"]]
    lag: dict[str, Any]
