"""A user was given a badge, or lost one: the events that notifiers, profiles and statistics read."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.events.fields import Evidence, Moment, Published, Text, UserIdText

Revision = Annotated[int, Field(ge=1)]
Category = Literal["completionist", "breadth", "temporal", "graph", "special", "community"]


class Cause(Published):
    """The event that earned an award: its CloudEvents source and id."""

    source: Text
    id: Text


class Badge(Published):
    """The badge as the catalog shows it on the day of the award."""

    key: Text
    family: Text
    tier: Text | None = Field(description="null for a family without tiers")
    tier_index: Annotated[int, Field(ge=0)] = Field(description="0 is the lowest tier")
    name: Text
    category: Category
    icon: Text


class BadgeAwarded(Published):
    """A user was given a badge."""

    award_id: Text = Field(description="UUIDv5 of user, badge, context and the time of the user's last deletion")
    revision: Revision = Field(description="1, and one more each time the award is reinstated by hand")
    user_id: UserIdText
    badge: Badge
    context: Text = Field(description="'' or what it was earned for: label:<id>, artist:<id>, master:<id>")
    awarded_at: Moment = Field(description="time of the event that earned it")
    source: Literal["auto", "manual", "backfill"]
    trigger: Text = Field(description="type of the event that earned it, or `manual`")
    caused_by: Cause | None = Field(description="the event that earned it; null for an award by hand")
    batch_id: Text = Field(description="equal for all awards that one event earned one user")
    highest_in_family: bool = Field(description="whether no higher tier of the family was earned with it")
    notify: bool = Field(description="whether the user should be told")
    campaign_id: Text | None = Field(default=None, description="the backfill that gave it")
    evidence: Evidence = Field(description="the numbers that decided: metric, value, target, and what applies")


class BadgeRevoked(Published):
    """A badge was taken from a user."""

    award_id: Text
    revision: Revision
    user_id: UserIdText
    badge_key: Text
    context: Text
    revoked_at: Moment
    by: Text = Field(description="who did it")
    reason: Text
