"""A badge leaves the shadow: its awards are shown with the dates that they have, and each is told of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from catalog.definition import BadgeDefinition
from catalog.index import Catalog
from services.stores import audit, awards, shadows
from services.stores.postgres import Connection
from services.stores.shadows import Kept
from services.worker.messages import awarded

PAGE: Final = 500


class StillShadow(Exception):
    """The definition says that the badge is in the shadow: what it earns would go there again."""


def check(badge: BadgeDefinition) -> None:
    """Whether the badge may be promoted.

    Raises:  StillShadow.
    """
    if badge.shadow:
        raise StillShadow(f"{badge.key} is a shadow: take `shadow=True` out of its definition, and deploy that first")


async def promote(
    connection: Connection, catalog: Catalog, badge: BadgeDefinition, *, notify: bool, by: str
) -> AsyncIterator[Kept]:
    """Show and publish what is kept of a badge, each page in a transaction of its own; yields what each came to.

    Stopped, it goes on where it was when it is called again; several at once share the work. An award that was revoked
    in the shadow is told to nobody, of one that is hidden no user is notified.

    Raises:  StillShadow.
    """
    check(badge)
    higher = [tier.key for tier in catalog.families[badge.family] if tier.tier_index > badge.tier_index]
    last = ""
    while users := await shadows.users(connection, badge.key, last, PAGE):
        last = users[-1]
        async with connection.transaction():
            found = await shadows.take(connection, badge.key, users, notify=notify)
            outranked = await shadows.outranked(connection, users, higher)
            told = [
                awarded(
                    name,
                    award,
                    badge,
                    award.awarded_at,
                    revision=award.revision,
                    highest=(name[0], name[2]) not in outranked,
                    notify=notify and not award.hidden,
                )
                for name, award in found
                if award.revoked_at is None
            ]
            await awards.publish(connection, told)
            page = Kept(len(told), len(found) - len(told))
            if found:
                details = {"badge_key": badge.key, **page._asdict(), "notify": notify}
                await audit.write(connection, by, "catalog.promote", details)
        yield page
