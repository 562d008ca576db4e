"""A review of the user was approved."""

from pydantic import Field

from contracts.events.fields import ObjectId, Received


class ReviewApproved(Received):
    """A review of the user was approved; the same one counts once."""

    review_id: ObjectId = Field(description="the producer's name of the review")
