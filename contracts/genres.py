"""Discogs' genres: a closed list of 15. One name holds commas, so a list of genres is never cut at them.

Source:  the genre field of Discogs' monthly dumps (CC0).
"""

from __future__ import annotations

from typing import Final

GENRES: Final[frozenset[str]] = frozenset(
    (
        "Blues",
        "Brass & Military",
        "Children's",
        "Classical",
        "Electronic",
        "Folk, World, & Country",
        "Funk / Soul",
        "Hip Hop",
        "Jazz",
        "Latin",
        "Non-Music",
        "Pop",
        "Reggae",
        "Rock",
        "Stage & Screen",
    )
)
