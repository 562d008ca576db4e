"""A user compared collections."""

from pydantic import Field

from contracts.events.fields import ObjectId, Received


class CompareUsed(Received):
    """The user used a comparison; the same one counts once."""

    compare_id: ObjectId = Field(description="the producer's name of the compare")
