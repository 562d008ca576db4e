"""The picture of a badge: one drawing per category, coloured by tier.

Metals rise from copper to a cold platinum; the activity ladders and anniversaries climb the colours of record sleeves
from slate to crimson; a badge without tiers wears the magenta of a special pressing. The drawings use three colours
only: `currentColor` (the body), `--light` (what catches the light) and `--deep` (grooves and outlines).
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import NamedTuple

from catalog.definition import CATEGORIES


class Colours(NamedTuple):
    """The three colours of a drawing, as CSS hexadecimal."""

    body: str
    light: str
    deep: str


COLOURS: dict[str | None, Colours] = {
    "bronze": Colours("#b9703a", "#f0c9a0", "#5b2f12"),
    "silver": Colours("#9aa5b1", "#eef2f6", "#3d4854"),
    "gold": Colours("#d9a521", "#fdeeb3", "#6b4a05"),
    "platinum": Colours("#7fb6c4", "#ecfbff", "#1f4854"),
    "i": Colours("#7b8794", "#e4e9ee", "#323b45"),
    "ii": Colours("#2f9e8f", "#cdf3ec", "#0d4840"),
    "iii": Colours("#3478c6", "#d3e6fb", "#113a68"),
    "iv": Colours("#7a4fc0", "#e5d9fa", "#37195f"),
    "v": Colours("#c9304f", "#fbd3da", "#640f22"),
    None: Colours("#9a3f8f", "#f6d8f1", "#481540"),
}


def has_icon(icon: str) -> bool:
    """Whether `icon_svg` can draw this icon."""
    category, tier = _split(icon)
    return category in CATEGORIES and tier in COLOURS and _file(category) is not None


def icon_svg(icon: str) -> str:
    """The SVG of a badge's icon ("breadth-gold", "special") with the colours of its tier.

    Raises: ValueError for an icon that does not exist.
    """
    if not has_icon(icon):
        raise ValueError(f"there is no icon {icon!r}")
    category, tier = _split(icon)
    drawing = _file(category)
    assert drawing is not None
    colours = COLOURS[tier]
    style = f"color:{colours.body};--light:{colours.light};--deep:{colours.deep}"
    return drawing.replace("<svg ", f'<svg style="{style}" ', 1)


def _split(icon: str) -> tuple[str, str | None]:
    category, _, tier = icon.partition("-")
    return (category, tier) if tier else (icon, None)


@functools.cache
def _file(category: str) -> str | None:
    path = resources.files("catalog").joinpath("icons", f"{category}.svg")
    return path.read_text(encoding="utf-8") if path.is_file() else None
