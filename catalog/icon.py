"""The picture of a badge, from one template: its category's motif, its family's glyph, its tier's metal and marks.

Metals rise from copper to a cold platinum; the activity ladders and anniversaries climb the colours of record sleeves
from slate to crimson; a badge without tiers wears the magenta of a special pressing. One to five marks say the tier to
who does not tell the colours apart. What is locked is drawn in grey lines.
"""

from __future__ import annotations

import functools
import hashlib
from html import escape
from string import Template
from typing import Final, NamedTuple

from catalog.definition import CATEGORIES, BadgeDefinition, Category
from catalog.drawings import DEFAULTS, GLYPHS, MOTIFS


class Colours(NamedTuple):
    """The colours of a tier, as CSS hexadecimal: the body, the plate from `light` to `sheen`, and what is drawn on it.

    Shape:   the body stands out from a white and a nearly black page, `deep` from the plate, `light` from the body.
    """

    body: str
    light: str
    sheen: str
    deep: str


COLOURS: Final[dict[str | None, Colours]] = {
    "bronze": Colours("#a5602c", "#fbe9d8", "#e3ac7c", "#55290c"),
    "silver": Colours("#6f7b88", "#fbfcfd", "#c3ccd6", "#2f3944"),
    "gold": Colours("#94690a", "#fff6cf", "#efc344", "#553900"),
    "platinum": Colours("#33818f", "#f1fdff", "#a9dbe4", "#0f3d47"),
    "i": Colours("#69737f", "#f6f8fa", "#cfd6de", "#29313a"),
    "ii": Colours("#15806f", "#ecfbf8", "#8fdccd", "#07423a"),
    "iii": Colours("#2f73c0", "#eff6ff", "#a8ccf3", "#0f3563"),
    "iv": Colours("#8457cb", "#f7f2ff", "#cdb5f2", "#361860"),
    "v": Colours("#cd3653", "#fff3f5", "#f4aebb", "#640f22"),
    None: Colours("#a94a9d", "#fff2fc", "#e9b2e0", "#4d1745"),
}
GREY: Final = "#767e87"
_MARKS: Final = {
    tier: at
    for tiers in (("bronze", "silver", "gold", "platinum"), ("i", "ii", "iii", "iv", "v"))
    for at, tier in enumerate(tiers, 1)
}
_STEP: Final = 7
_TEMPLATE: Final = Template(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96" role="img">'
    "<title>$title</title>$sheen"
    '<g stroke-width="2" stroke-linecap="round" stroke-linejoin="round">$motif</g>'
    '<path transform="translate($x $y) scale($scale)" d="$glyph" fill="none" stroke="$line" stroke-width="2"'
    ' stroke-linecap="round" stroke-linejoin="round"/>$marks</svg>\n'
)


def has_icon(icon: str) -> bool:
    """Whether `icon_svg` can draw this icon."""
    category, tier = _split(icon)
    return category in CATEGORIES and tier in COLOURS


def icon_svg(icon: str) -> str:
    """The icon of all badges of a category and tier ("breadth-gold", "special"), as SVG.

    Raises: ValueError for an icon that does not exist.
    """
    category, tier = _split(icon)
    for known in CATEGORIES:
        if known == category and tier in COLOURS:
            return _draw(icon.replace("-", " ").capitalize(), known, DEFAULTS[known], tier, locked=False)
    raise ValueError(f"there is no icon {icon!r}")


def badge_svg(badge: BadgeDefinition, *, locked: bool = False) -> str:
    """The picture of a badge as SVG; a family that has no glyph of its own takes its category's."""
    glyph = GLYPHS.get(badge.family) or DEFAULTS[badge.category]
    return _draw(badge.title, badge.category, glyph, badge.tier, locked=locked)


def digest(svg: str) -> str:
    """What stands for a picture's content in its address."""
    return hashlib.blake2b(svg.encode(), digest_size=6).hexdigest()


@functools.lru_cache(maxsize=2048)
def _draw(title: str, category: Category, glyph: str, tier: str | None, *, locked: bool) -> str:
    motif, metal = MOTIFS[category], COLOURS[tier]
    colours = {
        "body": metal.body,
        "edge": metal.body,
        "deep": metal.deep,
        "light": metal.light,
        "plate": f"url(#{tier or 'one'})",
    }
    sheen = (
        f'<linearGradient id="{tier or "one"}" x1="0" y1="0" x2=".4" y2="1"><stop stop-color="{metal.light}"/>'
        f'<stop offset="1" stop-color="{metal.sheen}"/></linearGradient>'
    )
    if locked:
        colours = dict.fromkeys(colours, GREY) | {"body": f"{GREY}24", "plate": "none"}
        sheen = ""
    scale = motif.size / 24
    return _TEMPLATE.substitute(
        title=escape(title),
        sheen=sheen,
        motif=Template(motif.drawing).substitute(colours),
        glyph=glyph,
        x=f"{motif.middle[0] - motif.size / 2:g}",
        y=f"{motif.middle[1] - motif.size / 2:g}",
        scale=f"{scale:.4g}",
        line=colours["deep"],
        marks=_marks(motif.marks, _MARKS.get(tier or "", 0), colours["light"]),
    )


def _marks(middle: tuple[float, float], count: int, colour: str) -> str:
    """So many dots in a row."""
    x, y = middle
    first = x - _STEP * (count - 1) / 2
    dots = "".join(f'<circle cx="{first + _STEP * at:g}" cy="{y:g}" r="2.4"/>' for at in range(count))
    return f'<g fill="{colour}">{dots}</g>' if count else ""


def _split(icon: str) -> tuple[str, str | None]:
    category, _, tier = icon.partition("-")
    return (category, tier) if tier else (icon, None)
