"""What a campaign is for: a user, or the badges of a key, a family, a trigger, or all of them."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.definition import SWEEP
from catalog.index import Catalog
from contracts.ids import is_user_id
from services.stores import campaigns
from services.stores.campaigns import Scope
from services.stores.postgres import Connection


class UnknownScope(LookupError):
    """There is no such user, badge, family or trigger."""


class NothingToEarn(ValueError):
    """No rule gives what was named: badges that are given by hand or not any more."""


@dataclass(frozen=True, slots=True)
class Target:
    """The scope, its value ('' for all), and the badges that may be given."""

    scope: Scope
    value: str
    badge_keys: tuple[str, ...]


async def target(connection: Connection, catalog: Catalog, scope: Scope, value: str) -> Target:
    """What a campaign with this scope would evaluate.

    Raises:  UnknownScope; NothingToEarn.
    """
    earnable = [badge.key for badge in catalog.trigger(SWEEP).badges]
    keys = set(_keys(catalog, scope, value))
    if scope == "user" and not (is_user_id(value) and await campaigns.knows(connection, value)):
        raise UnknownScope(f"nothing is known of user {value[:64]!a}")
    found = tuple(sorted(key for key in earnable if key in keys))
    if not found:
        raise NothingToEarn(f"{scope} {value}: no rule gives these badges")
    return Target(scope, value, found)


def _keys(catalog: Catalog, scope: Scope, value: str) -> list[str]:
    match scope:
        case "badge":
            if value in catalog.badges:
                return [value]
        case "family":
            if value in catalog.families:
                return [badge.key for badge in catalog.families[value]]
        case "trigger":
            try:
                return [badge.key for badge in catalog.trigger(value).badges]
            except KeyError:
                pass
        case "user" | "all":
            return list(catalog.badges)
    raise UnknownScope(f"there is no {scope} {value[:64]!a}")
