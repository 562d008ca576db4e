"""An edit of the user was approved."""

from pydantic import Field

from contracts.events.fields import ObjectId, Received


class EditApproved(Received):
    """An edit of the user was approved; the same one counts once."""

    edit_id: ObjectId = Field(description="the producer's name of the edit")
