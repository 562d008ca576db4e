"""What commands about a badge or a moment have in common: their arguments, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.cli import servers

if TYPE_CHECKING:
    from datetime import datetime

    from catalog.definition import BadgeDefinition
    from catalog.index import Catalog


def badge_called(catalog: Catalog, key: str) -> BadgeDefinition:
    """The badge of this key; a family's key names its tiers instead, exit code 2."""
    chosen = catalog.badges.get(key)
    if chosen is None and key in catalog.families:
        tiers = ", ".join(tier.key for tier in catalog.families[key])
        servers.fail(f"{key} is a family; its tiers are {tiers}", servers.WRONG_USAGE)
    if chosen is None:
        servers.fail(f"no badge is called {key!r}; see `gatefold catalog list`", servers.WRONG_USAGE)
    return chosen


def moment(option: str, text: str | None) -> datetime | None:
    """The time that an option names; exit code 2 where it is none."""
    from contracts.times import parse_time

    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        servers.fail(f"{option}: {error}", servers.WRONG_USAGE)


def json_of(option: str, text: str | None) -> Any:
    """The JSON that an option holds; exit code 2 where it is none."""
    import json

    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        servers.fail(f"{option}: not JSON: {error}", servers.WRONG_USAGE)
