"""The name that somebody wants on a card: whatever it is, it stands on one line and turns no other text around."""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST: Final = 200
# Zero-width joiner and non-joiner: letters of some scripts are written otherwise without them.
_JOINERS: Final = frozenset("‌‍")


def clean(text: str) -> str:
    """The text without control characters, turns of direction, and more than one blank in a row.

    Raises:  ValueError where it is longer than LONGEST.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{LONGEST} characters at most")
    kept = (
        " " if unicodedata.category(letter)[0] == "Z" or letter in "\t\n\r" else letter
        for letter in unicodedata.normalize("NFC", text)
        if unicodedata.category(letter)[0] != "C" or letter in _JOINERS or letter in "\t\n\r"
    )
    return " ".join("".join(kept).split())
