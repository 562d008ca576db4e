"""What the fonts of cards have, against what a renderer makes of them; how lines are cut."""

import pytest

from services.share.fonts import DEJAVU, FILES, INTER, KOSUGI, VENDOR, Font, font, runs, width, wrapped
from services.share.picture import draw

SHEET = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60">'
    '<text x="10" y="45" font-family="{}" font-size="40">{}</text></svg>'
)


def picture(letter: str, family: str, file: str) -> bytes:
    return draw(SHEET.format(family, letter), [str(VENDOR / file)])


@pytest.mark.parametrize(("family", "file"), FILES[False].items())
def test_a_letter_is_in_a_font_where_a_renderer_draws_it(family: str, file: str) -> None:
    # Each of the fonts draws the same box for what it has not.
    box = picture("\U0010fffd", family, file)
    for letter in "AßЖΩ−→★שع日ドあ한简😀🪩":
        assert (letter in font(family, bold=False)) is (picture(letter, family, file) != box), letter


@pytest.mark.parametrize(
    ("text", "bold", "found"),
    [
        ("Ann", False, [(INTER, "Ann")]),
        ("Ann, שלום 12 עולם!", True, [(INTER, "Ann, "), (DEJAVU, "שלום 12 עולם!")]),
        ("山口 百恵", False, [(KOSUGI, "山口 百恵")]),
        ("한국어 Ann 🪩", False, [(INTER, " Ann ")]),
        ("한국어", False, []),
        ("e\u0301", False, [(INTER, "e\u0301")]),
        ("", True, []),
    ],
)
def test_a_text_is_cut_by_font(text: str, bold: bool, found: list[tuple[str, str]]) -> None:
    assert runs(text, bold=bold) == found


def test_widths() -> None:
    assert width("") == 0
    assert width("WW") == pytest.approx(2 * width("W"))
    assert width("W") > width("i") > 0
    assert width("W", bold=True) > width("W")
    assert width("e\u0301") == width("e")
    assert width("한") == 0


@pytest.mark.parametrize(
    "text",
    ["", "Ann", "one two three four five six seven", "W" * 200, "日本語" * 40, "a " * 100, "שלום " * 30, "한국어 " * 20]
)  # fmt: skip
@pytest.mark.parametrize("lines", [1, 2, 3])
def test_lines_fit(text: str, lines: int) -> None:
    found = wrapped(text, 10, lines)
    assert len(found) <= lines
    assert all(0 < width(line) <= 10 for line in found)
    left = "".join(found).replace(" ", "")
    shown = "".join(run.text for run in runs(text)).replace(" ", "")
    assert left == shown or (left.endswith("…") and shown.startswith(left[:-1]))


def test_what_is_no_font_is_refused(tmp_path: object) -> None:
    with pytest.raises(ValueError, match=r"package\.json is not a TrueType font"):
        Font(VENDOR.parent / "package.json")
    with pytest.raises(FileNotFoundError):
        Font(VENDOR / "nobody-400.ttf")
