"""The shapes that icons are drawn from: a motif for each category, a glyph for each family.

A motif lies on a grid of 96, in words for colours that the template replaces: `$body` and `$edge` are the silhouette,
`$plate` is what the glyph lies on, `$deep` are grooves, `$light` is what catches the light. Its parts do not cover each
other, because what is locked is drawn without fillings. A glyph is one line on a grid of 24, 2 wide, its ends round.
"""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final, NamedTuple

from catalog.definition import Category


class Motif(NamedTuple):
    """A category's drawing, the middle and size of the glyph on it, and how high its marks of the tier stand."""

    drawing: str
    middle: tuple[float, float]
    size: float
    marks: tuple[float, float]


def _burst(points: int, outer: float, inner: float) -> str:
    """A star around the middle of the grid, as a path."""
    corners = (
        (48 + radius * sin(pi * at / points), 48 - radius * cos(pi * at / points))
        for at, radius in enumerate((outer, inner) * points)
    )
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z"


def _ring(x: float, y: float, radius: float) -> str:
    """A circle as part of a path."""
    half = f"A{radius:g} {radius:g} 0 0 1 {x:g}"
    return f"M{x:g} {y - radius:g}{half} {y + radius:g}{half} {y - radius:g}Z"


MOTIFS: Final[dict[Category, Motif]] = {
    # A sleeve, its record half out.
    "completionist": Motif(
        '<path d="M69 11.6A40 40 0 0 1 69 84.4" fill="$body" stroke="$edge"/>'
        '<path d="M73 21A34 34 0 0 1 73 75M73 29A28 28 0 0 1 73 67M73 37.8A23 23 0 0 1 73 58.2"'
        ' fill="none" stroke="$light" stroke-opacity=".6" stroke-width="1.6"/>'
        '<rect x="3" y="8" width="66" height="80" rx="3" fill="$body" stroke="$edge"/>'
        '<path d="M69 12V84" fill="none" stroke="$deep" stroke-opacity=".6"/>'
        '<rect x="10" y="15" width="52" height="56" rx="2" fill="$plate"/>',
        (36, 43),
        42,
        (36, 79.5),
    ),
    # A record with a large label.
    "breadth": Motif(
        '<circle cx="48" cy="48" r="45" fill="$body" stroke="$edge"/>'
        '<g fill="none" stroke="$deep" stroke-opacity=".45">'
        '<circle cx="48" cy="48" r="41.5"/><circle cx="48" cy="48" r="38"/><circle cx="48" cy="48" r="34.5"/></g>'
        '<path d="M10.6 41A38 38 0 0 1 29 15M85.4 55A38 38 0 0 1 67 81" fill="none" stroke="$light"'
        ' stroke-width="2.5"/>'
        '<circle cx="48" cy="48" r="31" fill="$plate"/>',
        (48, 48),
        42,
        (48, 86),
    ),
    # A pocket watch.
    "temporal": Motif(
        '<path d="M42 13V5.5Q42 3 44.5 3H51.5Q54 3 54 5.5V13" fill="$body" stroke="$edge"/>'
        '<circle cx="48" cy="53" r="40" fill="$body" stroke="$edge"/>'
        '<path d="M48 17.5V22M66 22.3L63.7 26.2M79 35.2L75 37.5M83.5 53H79M79 70.8L75 68.5M17 70.8L21 68.5'
        'M12.5 53H17M17 35.2L21 37.5M30 22.3L32.3 26.2" fill="none" stroke="$light" stroke-width="3"/>'
        '<circle cx="48" cy="53" r="29" fill="$plate"/>',
        (48, 53),
        38,
        (48, 87),
    ),
    # Six nodes, each joined to its neighbours.
    "graph": Motif(
        '<path d="M48 8L83 28V68L48 88L13 68V28Z" fill="$body" stroke="$edge" stroke-width="3"/>'
        '<path d="M48 17L73 31.5V60.5L48 75L23 60.5V31.5Z" fill="$plate" stroke="none"/>'
        '<g fill="$body" stroke="$edge"><circle cx="48" cy="9" r="7"/><circle cx="82" cy="28" r="7"/>'
        '<circle cx="82" cy="68" r="7"/><circle cx="14" cy="68" r="7"/><circle cx="14" cy="28" r="7"/></g>',
        (48, 46),
        40,
        (48, 79.5),
    ),
    # The sticker on the shrink wrap.
    "special": Motif(
        f'<path d="{_burst(16, 46, 38.5)}" fill="$body" stroke="$edge"/>'
        '<circle cx="48" cy="48" r="35" fill="none" stroke="$light" stroke-width="2"/>'
        '<circle cx="48" cy="48" r="31" fill="$plate"/>',
        (48, 48),
        42,
        (48, 85),
    ),
    # What somebody says.
    "community": Motif(
        '<path d="M18 8H78Q90 8 90 20V62Q90 74 78 74H46L26 91V74H18Q6 74 6 62V20Q6 8 18 8Z" fill="$body"'
        ' stroke="$edge"/>'
        '<rect x="13" y="14" width="70" height="47" rx="7" fill="$plate"/>',
        (48, 37.5),
        41,
        (48, 67.5),
    ),
}

GLYPHS: Final[dict[str, str]] = {
    # a label and its hole, with a heart's loyalty
    "label-loyalist": "M12 21C7 17 3 13.5 3 9A4.5 4.5 0 0 1 12 7A4.5 4.5 0 0 1 21 9C21 13.5 17 17 12 21ZM12 12.5H12.01",
    # down below the waves
    "discography-deep-dive": "M3 6Q5.25 3 7.5 6T12 6T16.5 6T21 6M12 10V21M7.5 16.5L12 21L16.5 16.5",
    # one title, pressing upon pressing
    "master-collector": "M12 3L21 7.5L12 12L3 7.5ZM3 12L12 16.5L21 12M3 16.5L12 21L21 16.5",
    # a signpost
    "genre-tourist": "M12 2V22M12 4H18.5L21.5 7L18.5 10H12M12 12H5.5L2.5 15L5.5 18H12M9 22H15",
    # a looking glass
    "style-explorer": f"{_ring(10.5, 10.5, 7.5)}M16 16L21 21M7.5 10.5A3 3 0 0 1 10.5 7.5",
    # from one label to the next
    "label-hopper": f"{_ring(5.5, 17, 3.5)}{_ring(18.5, 17, 3.5)}M5 9.5A7.5 7.5 0 0 1 18.5 8.5M19 3.5V8.8H13.7",
    # a globe
    "world-collector": f"{_ring(12, 12, 9)}M3 12H21M12 3Q17 8 17 12T12 21M12 3Q7 8 7 12T12 21",
    # an hourglass
    "time-traveler": "M6 3H18M6 21H18M7.5 3V6.5L16.5 17.5V21M16.5 3V6.5L7.5 17.5V21",
    # a page of the calendar
    "era-specialist": "M4 5.5H20V20.5H4ZM4 10.5H20M8.5 3V7M15.5 3V7M9 15.5H15",
    # an ammonite
    "vinyl-archaeologist": "M12.5 13A1.5 1.5 0 0 1 11 11.5A3 3 0 0 1 16.5 12.5A4.5 4.5 0 0 1 7.5 13.5"
    "A6.3 6.3 0 0 1 19 8.5A8.5 8.5 0 0 1 21 13.5A8.5 8.5 0 0 1 12.5 21.5H3.5",
    # from hand to hand
    "six-degrees": f"{_ring(5, 5, 2.5)}{_ring(19, 19, 2.5)}M7.5 5H16A3.5 3.5 0 0 1 16 12H8A3.5 3.5 0 0 0 8 19H16.5",
    # people around one
    "scene-builder": f"{_ring(12, 12, 3)}M12 9V6M14.6 13.5L17.7 15.5M9.4 13.5L6.3 15.5{_ring(12, 4, 2)}"
    f"{_ring(19.5, 16.5, 2)}{_ring(4.5, 16.5, 2)}",
    # a pair of compasses
    "taste-architect": f"M12 3V5.5{_ring(12, 7.5, 2)}M11 9.5L6 21M13 9.5L18 21M5 14.5Q12 18.5 19 14.5",
    # the first
    "first-pressing": "M8 7.5L12.5 3.5V20.5M8 20.5H17",
    # a stone that few have
    "deep-cut": "M6.5 4H17.5L21.5 9.5L12 21L2.5 9.5ZM2.5 9.5H21.5M12 4L8.5 9.5L12 21L15.5 9.5Z",
    # one loudspeaker
    "mono-enthusiast": f"M6 2.5H18V21.5H6Z{_ring(12, 14.25, 3.7)}M12 6.5H12.01M12 14.25H12.01",
    # a cassette
    "format-completionist": f"M3 5H21V19H3Z{_ring(8.5, 11.5, 2)}{_ring(15.5, 11.5, 2)}M7 19L8.5 16.5H15.5L17 19",
    # a crate with records in it
    "owner": "M3.5 11H20.5L19 21H5ZM7 11V4M11 11V3M15 11V5.5M18.5 11L19 6.5M10 16H14",
    # a star to wish upon
    "wishlister": "M12 3L14.8 8.8L21 9.7L16.5 14L17.6 20.3L12 17.3L6.4 20.3L7.5 14L3 9.7L9.2 8.8Z",
    # what is quoted
    "reviewer": "M10 6Q5 8 5 13.5V18H10.5V13H5M20 6Q15 8 15 13.5V18H20.5V13H15",
    # a pencil
    "editor": "M4 20L5 15.5L16.5 4L20 7.5L8.5 19ZM14 6.5L17.5 10",
    # scales
    "comparer": "M12 3V20.5M7.5 20.5H16.5M4.5 6.5H19.5M4.5 6.5L2 13.5H7L4.5 6.5M19.5 6.5L17 13.5H22L19.5 6.5",
    # a candle on the cake
    "anniversary": "M4 20.5V14Q4 12 6 12H18Q20 12 20 14V20.5M2.5 20.5H21.5M4 16.5Q6.7 19 9.3 16.5T14.7 16.5T20 16.5"
    "M12 12V8.5M12 3.5Q13.8 5.5 12 6Q10.2 5.5 12 3.5",
}
"""By family."""

DEFAULTS: Final[dict[Category, str]] = {
    "completionist": "M4 12.5L9.5 18L20 6.5",
    "breadth": "M12 3V21M3 12H21M12 3L9 6M12 3L15 6M12 21L9 18M12 21L15 18M3 12L6 9M3 12L6 15M21 12L18 9M21 12L18 15",
    "temporal": "M12 4V12L17.5 15.5",
    "graph": "M6 18L12 6L18 18ZM6 18H6.01M12 6H12.01M18 18H18.01",
    "special": "M12 3Q12.5 11.5 21 12Q12.5 12.5 12 21Q11.5 12.5 3 12Q11.5 11.5 12 3Z",
    "community": f"{_ring(6.5, 18.5, 2.5)}M9 18.5V5L19.5 3V16.5{_ring(17, 16.5, 2.5)}",
}
"""The glyph of a family that has none of its own."""
