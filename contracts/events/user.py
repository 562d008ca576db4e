"""A user came, a user left."""

from datetime import date

from pydantic import Field

from contracts.events.fields import DayOrMoment, Received
from contracts.times import parse_day_or_time


class UserJoined(Received):
    """A user opened the account; the earliest date ever stated wins."""

    joined_at: DayOrMoment = Field(description="when; of a time, the UTC date counts")

    @property
    def joined_on(self) -> date:
        """The UTC date of `joined_at`."""
        return parse_day_or_time(self.joined_at)


class UserDeleted(Received):
    """A user closed the account: all that is not newer than the event's time is erased."""
