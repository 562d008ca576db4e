"""What a user shares with others."""

from __future__ import annotations

from pydantic import Field

from services.api.models.answer import Answer


class Shared(Answer):
    """An award or the profile, shown to whoever has the link."""

    token: str
    url: str = Field(description="The link.")
    badge_key: str = Field(description="Empty for the profile.")
    context: str
    name: str = Field(description="The name on the card, cleaned; empty for none.")
    language: str
    shared_at: str = Field(description="RFC 3339, UTC.")


class SharedList(Answer):
    """All that the user shares, the newest first."""

    shares: list[Shared]
