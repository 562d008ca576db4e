"""What is missing for a badge."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.api.models.answer import Answer


class MissingEntry(Answer):
    """A release, a work or a value that is missing; of these fields it has those that apply."""

    release_id: int | None = None
    master_id: int | None = None
    title: str | None = Field(default=None, description="null: not known.")
    year: int | None = Field(default=None, description="null: not known.")
    value: str | None = Field(default=None, description='"Jazz", "Iceland", "1970s".')
    facet: Literal["genre", "style"] | None = None
    owned: int | None = Field(default=None, description="Releases of this value that you have.")
    needed: int | None = Field(default=None, description="How many more of them it takes.")


class MissingList(Answer):
    """What is missing for a badge; of a label, an artist or a master all that you do not own, also beyond the tier."""

    id: str
    context: str = Field(description="The one asked for, else the nearest; empty where there is none.")
    context_name: str | None = Field(description="Of the label, artist or master, as far as it is known.")
    kind: str | None = Field(description='What `owned`, `total` and `needed` count: "releases", "masters", "genres".')
    owned: int | None = Field(description="null: not known.")
    total: int | None = Field(description="Of how many in all; null where that is not known or has no end.")
    as_of: str | None = Field(description="Date of the catalogue that `total` is from.")
    target: int | None = Field(description="Of the tier; in percent for labels and artists.")
    needed: int | None = Field(description="How many more the tier takes; null where that is not known.")
    remaining: str = Field(description="The same in words.")
    missing: list[MissingEntry] = Field(description="Oldest first, what has no year last; values in a fixed order.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")
