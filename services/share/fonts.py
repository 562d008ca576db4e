"""The fonts that cards are set in: which letters they have, and how wide those are.

Inter for Latin, Greek and Cyrillic, DejaVu for what it lacks (Arabic, Hebrew, Armenian, Georgian, symbols, the older
emoji), Kosugi Maru for Japanese. A letter that none of them has is left out: an empty box tells nobody anything.
"""

from __future__ import annotations

import functools
import struct
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

VENDOR: Final = Path(__file__).resolve().parents[1] / "pages" / "vendor"
INTER, DEJAVU, KOSUGI = "Inter", "DejaVu Sans", "Kosugi Maru"
# By weight, in the order in which they are asked for a letter. The last has one weight.
FILES: Final = {
    False: {INTER: "inter-400.ttf", DEJAVU: "dejavu-400.ttf", KOSUGI: "kosugi-400.ttf"},
    True: {INTER: "inter-700.ttf", DEJAVU: "dejavu-700.ttf", KOSUGI: "kosugi-400.ttf"},
}


class Run(NamedTuple):
    """Letters of one font."""

    family: str
    text: str


class Font:
    """The widths of a TrueType font's letters.

    Raises:  FileNotFoundError, ValueError for what is no such font.
    """

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        try:
            count = self._numbers(4, "H")[0]
            records = (self._bytes[12 + 16 * at : 28 + 16 * at] for at in range(count))
            self._tables = {record[:4]: struct.unpack(">II", record[8:])[0] for record in records}
            self._units = self._numbers(self._tables[b"head"] + 18, "H")[0]
            self._metrics = self._numbers(self._tables[b"hhea"] + 34, "H")[0]
            self._glyphs = dict(self._letters())
        except (struct.error, KeyError) as error:
            raise ValueError(f"{path.name} is not a TrueType font") from error

    def __contains__(self, letter: str) -> bool:
        return ord(letter) in self._glyphs

    def width(self, letter: str) -> float:
        """How wide a letter is, of a font whose size is 1."""
        at = min(self._glyphs[ord(letter)], self._metrics - 1)
        return float(self._numbers(self._tables[b"hmtx"] + 4 * at, "H")[0] / self._units)

    def _letters(self) -> Iterator[tuple[int, int]]:
        """Every letter that has a glyph, and which one (`cmap`)."""
        start = self._tables[b"cmap"]
        subtables = [
            start + self._numbers(start + 8 + 8 * at, "I")[0] for at in range(self._numbers(start + 2, "H")[0])
        ]
        formats = {self._numbers(at, "H")[0]: at for at in subtables}
        if 12 in formats:
            at = formats[12]
            groups = self._numbers(at + 12, "I")[0]
            for group in range(groups):
                first, last, glyph = self._numbers(at + 16 + 12 * group, "III")
                yield from ((letter, glyph + letter - first) for letter in range(first, last + 1))
            return
        at = formats[4]
        count = self._numbers(at + 6, "H")[0] // 2
        ends, starts, deltas, offsets = (
            self._numbers(at + 14 + skip + 2 * count * part, f"{count}H") for part, skip in enumerate((0, 2, 2, 2))
        )
        for segment in range(count):
            for letter in range(starts[segment], min(ends[segment], 0xFFFE) + 1):
                glyph = letter
                if offset := offsets[segment]:
                    place = at + 16 + 6 * count + 2 * segment + offset + 2 * (letter - starts[segment])
                    glyph = self._numbers(place, "H")[0]
                    if not glyph:
                        continue
                if found := (glyph + deltas[segment]) & 0xFFFF:
                    yield letter, found

    def _numbers(self, at: int, layout: str) -> tuple[int, ...]:
        return struct.unpack_from(f">{layout}", self._bytes, at)


def files() -> list[str]:
    """The paths of all fonts, for who draws with them."""
    return sorted({str(VENDOR / name) for named in FILES.values() for name in named.values()})


def runs(text: str, *, bold: bool = False) -> list[Run]:
    """The text by font, without letters that no font has; digits, signs and blanks stay with the letters before them.

    So a text from the right stays whole, and is turned around whole.
    """
    found: list[Run] = []
    for letter in text:
        families = [family for family in FILES[bold] if letter in font(family, bold=bold)]
        if not families:
            continue
        family = families[0]
        before = found[-1].family if found else None
        if before in families and unicodedata.category(letter)[0] in "MNPSZ":
            family = before
        if family == before:
            found[-1] = Run(family, found[-1].text + letter)
        else:
            found.append(Run(family, letter))
    return found


def width(text: str, *, bold: bool = False) -> float:
    """How wide a text is about, of a font whose size is 1: without kerning and ligatures."""
    return sum(
        font(run.family, bold=bold).width(letter)
        for run in runs(text, bold=bold)
        for letter in run.text
        if not unicodedata.combining(letter)
    )


def wrapped(text: str, room: float, lines: int, *, bold: bool = False) -> list[str]:
    """The text on so many lines at most, each as wide as `room`; what is left ends with an ellipsis.

    Units:   of a font whose size is 1.
    """
    words = "".join(run.text for run in runs(text, bold=bold)).split()
    found: list[str] = []
    while words and len(found) < lines:
        line = words.pop(0)
        if width(line, bold=bold) > room:
            line, rest = _cut(line, room, bold)
            words.insert(0, rest)
        else:
            while words and width(f"{line} {words[0]}", bold=bold) <= room:
                line += f" {words.pop(0)}"
        found.append(line)
    if words:
        left = _cut(f"{found[-1]} {words[0]}", room, bold)[0]
        while width(f"{left}…", bold=bold) > room:
            left = left[:-1].rstrip()
        found[-1] = f"{left}…"
    return found


def _cut(text: str, room: float, bold: bool) -> tuple[str, str]:
    """As much of a text as there is room for, a letter at least, and the rest; marks stay with their letter."""
    at, used = 1, width(text[0], bold=bold)
    while at < len(text):
        used += width(text[at], bold=bold)
        if used > room and not unicodedata.combining(text[at]):
            break
        at += 1
    while at > 1 and width(text[:at], bold=bold) > room:  # a sign is wider in the font of the letters before it
        at -= 1
    return text[:at], text[at:]


@functools.cache
def font(family: str, *, bold: bool) -> Font:
    """One of our fonts, read once.

    Raises:  FileNotFoundError where nobody fetched it.
    """
    return Font(VENDOR / FILES[bold][family])
