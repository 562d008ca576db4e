"""The cards to share, as SVG of 1200 × 630: one badge, or the best of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from catalog.definition import BadgeDefinition
from catalog.icon import COLOURS, badge_svg
from services.share import fonts

WIDTH, HEIGHT = 1200, 630
PAPER, SLEEVE, INK, SOFT, LINE, VINYL, GROOVE = (
    *("#f5efe4", "#fffaf1", "#1d1916", "#5f554a", "#ddd1bf"),
    *("#171412", "#3a332d"),
)
ACCENT: Final = "#a52f1c"
MARGIN: Final = 72
TEXT_X: Final = 560
TEXT_ROOM: Final = WIDTH - MARGIN - TEXT_X
MOST_BADGES: Final = 4


@dataclass(frozen=True, slots=True)
class Earned:
    """A badge as a card shows it, in words; `of` is what it was earned for."""

    badge: BadgeDefinition
    tier: str
    category: str
    name: str
    of: str
    proof: str
    day: str


def badge_card(earned: Earned, by: str) -> str:
    """The card of one badge; `by` is who has it, and may be empty."""
    colours = COLOURS[earned.badge.tier]
    record = (
        f'<circle cx="286" cy="315" r="250" fill="{VINYL}"/><g fill="none" stroke="{GROOVE}" stroke-width="2">'
        + "".join(f'<circle cx="286" cy="315" r="{radius}"/>' for radius in range(178, 250, 9))
        + f'</g><circle cx="286" cy="315" r="166" fill="{SLEEVE}"/>'
    )
    x, lines = TEXT_X, []
    y = 150.0
    lines += _text(f"{earned.category} · {earned.tier}".upper(), x, y, 22, TEXT_ROOM, fill=colours.deep, bold=True)
    y += 24
    title = _lines(earned.name, 68, TEXT_ROOM, 2, bold=True)
    for line in title:
        y += 70
        lines += _text(line, x, y, 68, TEXT_ROOM, fill=INK, bold=True)
    for text, size, most, fill in ((earned.of, 40, 3 - len(title), INK), (earned.proof, 32, 1, SOFT)):
        y += 14 if text else 0
        for line in _lines(text, size, TEXT_ROOM, most):
            y += size * 1.25
            lines += _text(line, x, y, size, TEXT_ROOM, fill=fill)
    lines += _text(earned.day, x, HEIGHT - 78, 28, TEXT_ROOM, fill=SOFT)
    if by:
        lines += _text(by, x, HEIGHT - 120, 36, TEXT_ROOM, fill=INK, bold=True)
    return _sheet(f"{earned.badge.title}", record + _icon(earned.badge, 166, 195, 240), lines, colours.body)


def profile_card(badges: Sequence[Earned], by: str, total: str) -> str:
    """The card of a collector: the best badges, and how many there are."""
    badges = badges[:MOST_BADGES]
    lines = []
    y = 92.0
    for line in _lines(by, 68, WIDTH - 2 * MARGIN, 1, bold=True):
        y += 62
        lines += _text(line, MARGIN, y, 68, WIDTH - 2 * MARGIN, fill=INK, bold=True)
    lines += _text(total, MARGIN, y + 54, 34, WIDTH - 2 * MARGIN, fill=SOFT)
    step = (WIDTH - 2 * MARGIN + 24) / MOST_BADGES
    wide = step - 24
    drawn = "".join(
        f'<rect x="{MARGIN + at * step:g}" y="256" width="{wide:g}" height="302" fill="none" stroke="{LINE}"'
        ' stroke-width="3" stroke-dasharray="10 10"/>'
        for at in range(len(badges), MOST_BADGES)
    )
    for at, one in enumerate(badges):
        x = MARGIN + at * step
        drawn += (
            f'<rect x="{x:g}" y="256" width="{wide:g}" height="302" fill="{SLEEVE}" stroke="{LINE}"/>'
            f'<rect x="{x:g}" y="256" width="{wide:g}" height="6" fill="{COLOURS[one.badge.tier].body}"/>'
        )
        drawn += _icon(one.badge, x + (wide - 132) / 2, 282, 132)
        room, middle = wide - 24, x + wide / 2
        below = 448.0
        for line in _lines(one.name, 23, room, 2, bold=True):
            lines += _text(line, middle, below, 23, room, fill=INK, bold=True, anchor=0.5)
            below += 28
        below += 2
        for text, fill in ((one.tier, COLOURS[one.badge.tier].deep), (one.of, SOFT)):
            lines += _text(text, middle, below, 19, room, fill=fill, anchor=0.5)
            below += 26
    return _sheet(by or total, drawn, lines, ACCENT)


def _sheet(title: str, drawing: str, lines: Sequence[str], colour: str) -> str:
    mark = _text("Gatefold", WIDTH - MARGIN - 4, 74, 26, 200, fill=INK, bold=True, anchor=1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img"><title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
        f'<rect width="{WIDTH}" height="14" fill="{colour}"/>{drawing}{"".join((*mark, *lines))}</svg>\n'
    )


def _icon(badge: BadgeDefinition, x: float, y: float, size: float) -> str:
    """A badge's picture at a place of the card."""
    return badge_svg(badge).replace(
        ' width="96" height="96"', f' x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}"', 1
    )


def _lines(text: str, size: float, room: float, most: int, *, bold: bool = False) -> list[str]:
    return fonts.wrapped(text, room / size, most, bold=bold)


def _text(
    text: str, x: float, y: float, size: float, room: float, *, fill: str, bold: bool = False, anchor: float = 0
) -> list[str]:
    """One line, begun so much of its width before `x`.

    Each font's letters are a text of their own: a renderer sets all of a text in the one font that has all of it.
    """
    shown = "".join(fonts.wrapped(text, room / size, 1, bold=bold))
    x -= fonts.width(shown, bold=bold) * size * anchor
    found = []
    for run in fonts.runs(shown, bold=bold):
        found.append(
            f'<text x="{x:.5g}" y="{y:.5g}" font-family="{run.family}, sans-serif" font-size="{size:g}"'
            f' font-weight="{700 if bold else 400}" fill="{fill}" xml:space="preserve">{escape(run.text)}</text>'
        )
        x += fonts.width(run.text, bold=bold) * size
    return found
