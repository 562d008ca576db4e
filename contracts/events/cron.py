"""The calendar speaks: evaluations that no act of the user starts."""

from datetime import date

from pydantic import Field

from contracts.events.fields import Day, ObjectId, Received
from contracts.times import parse_day


class CronAnniversary(Received):
    """A day on which the user's years of membership are to be measured."""

    on: Day = Field(description="the day at which tenure is measured")

    @property
    def on_date(self) -> date:
        """`on` as a date."""
        return parse_day(self.on)


class CronSweep(Received):
    """The user's counters are to be recounted and every badge evaluated."""

    campaign_id: ObjectId | None = Field(
        default=None,
        description="the campaign that asks: only its badges are evaluated, as it says; left out, every badge",
    )
