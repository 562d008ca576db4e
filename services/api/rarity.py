"""How rare a badge is: of all collectors, of the active ones, and in words that make no percentage of a few."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from evaluators.coverage import percentage
from services.stores.achievements import Counted

Json: TypeAlias = dict[str, Any]

ENOUGH: Final = 20  # holders of whom one may speak as a percentage
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}


def rarity(holders: Counted | None, collectors: Counted | None, rank: int | None = None) -> Json:
    """Who holds a badge, as numbers and in words; `rank` says which collector this was to earn it."""
    held, active = (None, None) if holders is None else (holders.all, holders.active)
    everybody, awake = (None, None) if collectors is None else (collectors.all, collectors.active)
    return {
        "holders": held,
        "share": share(held, everybody),
        "active_holders": active,
        "share_active": share(active, awake),
        "rank": rank,
        "text": None if held is None else _text(held, everybody, active, awake, rank),
    }


def share(holders: int | None, collectors: int | None) -> float | None:
    """Holders among collectors, 0 … 1; None where either is not known or there is nobody."""
    return None if holders is None or not collectors else round(min(1.0, holders / collectors), 6)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    return f"{number}{'th' if number % 100 in (11, 12, 13) else _ENDINGS.get(number % 10, 'th')}"


def _text(held: int, everybody: int | None, active: int | None, awake: int | None, rank: int | None) -> str:
    said = "nobody yet" if not held else f"{held:,} collector{'s' if held > 1 else ''}"
    parts = [f"held by {said}"]
    if everybody and held >= ENOUGH:
        parts.append(f"{_percent(held, everybody)} of all")
        if active is not None and active >= ENOUGH and awake:
            parts.append(f"{_percent(active, awake)} of the active ones")
    if rank is not None:
        parts.append(f"{ordinal(rank)} to earn it")
    return ", ".join(parts)


def _percent(part: int, whole: int) -> str:
    found = percentage(part, whole)
    return f"{found:g} %" if found else "less than 0.1 %"
