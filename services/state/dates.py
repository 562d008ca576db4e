"""When a release was issued, as far as that is known, and whether it says of itself that it came out before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from services.state.facts import FIRST_YEAR

REISSUES: Final = frozenset({"Reissue", "Repress", "Remastered", "Unofficial Release", "Unofficial"})
_FOUR_DIGITS: Final = re.compile(r"[0-9]{4}")  # as Facts.pressing_year finds them
_DATE: Final = re.compile(r"([0-9]{4})(?:-(0[0-9]|1[0-2])(?:-([0-2][0-9]|3[01]))?)?")


def issued(released: str | None, year: int | None) -> str | None:
    """The date as far as it is known: `1999`, `1999-03` or `1999-03-17`; None where not even the year is.

    Shape:   both as in `Facts`; the year of the answer is that of `Facts.pressing_year`.
    """
    if year is not None and year < 0:
        return None
    if released and (match := _DATE.fullmatch(released)):
        found, month, day = match.groups()
        if (not year or int(found) == year) and int(found) >= FIRST_YEAR:
            if not month or month == "00":
                return found
            return f"{found}-{month}" if not day or day == "00" else released
    elif released and not year and (written := _FOUR_DIGITS.search(released)):
        year = int(written[0])
    return f"{year:04d}" if year and FIRST_YEAR <= year <= 9999 else None


def reissue(formats: Iterable[tuple[str, Iterable[str]]] | None) -> bool:
    """Whether any carrier is flagged as a reissue, a repress, remastered or unofficial; formats as in `Facts`."""
    return any(not REISSUES.isdisjoint(descriptions) for _, descriptions in formats or ())
