"""Why a badge is held, or is not."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from services.api.models.answer import Answer


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
