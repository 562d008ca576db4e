"""A release as Discogs states it, inside a user's own event and as news of the catalogue.

Null and missing both mean unknown, never zero; an empty list is a statement.
"""

from pydantic import Field

from contracts.events.fields import Count, Id, IdOrNone, Received, Text


class Artist(Received):
    """An artist as credited on the release."""

    id: Id | None = Field(default=None, description="Discogs artist id; null where Discogs links none")
    name: Text


class Label(Received):
    """A label of the release."""

    id: Id | None = Field(default=None, description="Discogs label id; null where unknown")
    name: Text
    catno: Text | None = Field(default=None, description="catalogue number on that label")


class Format(Received):
    """One carrier of the release."""

    name: Text = Field(description="the carrier: Vinyl, CD, Box Set ...")
    qty: int | float | Text | None = Field(default=None, description="number of carriers; Discogs writes it as text")
    descriptions: list[Text] | None = Field(default=None, description='size and edition: LP, 12", Mono, Reissue ...')
    text: Text | None = Field(default=None, description="free text: colour, weight ...")


class Release(Received):
    """What Discogs calls basic_information, or a full release."""

    id: Id = Field(description="Discogs release id")
    title: Text | None = None
    master_id: IdOrNone | None = Field(default=None, description="Discogs master id; 0 says the release has none")
    year: int | None = Field(default=None, description="year of this pressing; 0 or an impossible year is unknown")
    released: Text | None = Field(
        default=None, description="release date as written; its first four digits may serve as year"
    )
    country: Text | None = None
    artists: list[Artist] | None = None
    labels: list[Label] | None = None
    formats: list[Format] | None = None
    genres: list[Text] | None = None
    styles: list[Text] | None = None
    have: Count | None = Field(default=None, description="number of Discogs users who own it")


class ReleaseDescribed(Release):
    """What the catalogue says of a release, for everybody."""
