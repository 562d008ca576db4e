"""A collection was read from Discogs to its end."""

from pydantic import Field

from contracts.events.fields import Count, Id, ObjectId, Received


class CollectionSynced(Received):
    """A sync of the collection ended: graph badges become due, the digest is cut."""

    sync_id: ObjectId | Id = Field(description="the producer's name of the sync")
    items_total: Count = Field(description="copies in the collection as the sync saw them")
