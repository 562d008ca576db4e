"""Copies come into a collection and leave it."""

from typing import Annotated

from pydantic import Field

from contracts.events.fields import MAX_LIST, Count, Id, LenientMoment, Rating, Received, Text
from contracts.events.release import Release


class Copy(Received):
    """One physical copy of a release in the user's collection."""

    instance_id: Id = Field(description="Discogs' id of the copy; the last statement on it wins")
    release: Release
    added_at: LenientMoment | None = Field(default=None, description="when the user added it; shown, decides nothing")
    folder_id: Count | None = Field(default=None, description="Discogs folder; informative")
    rating: Rating | None = Field(default=None, description="0 (not rated) to 5; informative")
    media_condition: Text | None = None
    sleeve_condition: Text | None = None


class CopyId(Received):
    """The name of one copy."""

    instance_id: Id


class OwnershipAdded(Received):
    """Copies came into the collection."""

    items: Annotated[list[Copy], Field(min_length=1, max_length=MAX_LIST)]


class OwnershipRemoved(Received):
    """Copies left the collection."""

    items: Annotated[list[CopyId], Field(min_length=1, max_length=MAX_LIST)]
