"""What a user has earned, and how near the next tiers are."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from services.api.models.answer import Answer


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
