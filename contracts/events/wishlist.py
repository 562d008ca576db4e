"""Releases come onto a wishlist and leave it."""

from typing import Annotated

from pydantic import Field

from contracts.events.fields import MAX_LIST, Id, Received

ReleaseIds = Annotated[list[Id], Field(min_length=1, max_length=MAX_LIST)]


class WishlistAdded(Received):
    """The user wishes for these releases."""

    release_ids: ReleaseIds


class WishlistRemoved(Received):
    """The user no longer wishes for these releases."""

    release_ids: ReleaseIds
