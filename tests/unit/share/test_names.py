"""Names on cards: kept as they are, but for what would turn or break the text around them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.share.names import LONGEST, clean


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ann", "Ann"),
        ("  Ann \t of\n Köln ", "Ann of Köln"),
        ("\u202eevil\u202c", "evil"),
        ("\u2067a\u2069\ufeff\x00\x1b[31m", "a[31m"),
        ("क्\u200dष", "क्\u200dष"),
        ("e\u0301", "é"),
        ("\ud800", ""),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_what_is_kept(text: str, kept: str) -> None:
    assert clean(text) == kept


@given(st.text(max_size=LONGEST))
def test_any_text_is_one_line_that_xml_and_postgresql_take(text: str) -> None:
    kept = clean(text)
    assert clean(kept) == kept
    assert {unicodedata.category(letter) for letter in kept} & {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} == set()
    assert kept == kept.strip()


def test_a_name_that_is_too_long() -> None:
    assert clean("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(ValueError, match="200 characters at most"):
        clean("x" * (LONGEST + 1))
