"""The catalogue of texts: complete in each language, every text that is asked for, and how languages write numbers."""

from __future__ import annotations

import re
import string
from datetime import date
from pathlib import Path

import pytest

from catalog.index import load_catalog
from services.pages import texts, words
from services.pages.texts import FILE, LANGUAGES, Texts, preferred, texts_of

FOLDER = Path(texts.__file__).parent
# What the API says in English is not said twice.
GERMAN_ONLY = ("need.", "about.")


def keys(language: str) -> dict[str, str | list[str]]:
    return texts._catalogue()[language]


def fields(text: str | list[str]) -> list[set[str]]:
    forms = [text] if isinstance(text, str) else text
    return [{name for _, name, _, _ in string.Formatter().parse(form) if name} for form in forms]


def test_languages_have_the_same_texts_with_the_same_values() -> None:
    assert set(keys("de")) - set(keys("en")) == {key for key in keys("de") if key.startswith(GERMAN_ONLY)}
    assert set(keys("en")) <= set(keys("de"))
    for key, text in keys("en").items():
        other = keys("de")[key]
        assert isinstance(text, str) == isinstance(other, str), key
        assert set().union(*fields(text)) == set().union(*fields(other)), key
    for language in LANGUAGES:
        assert all(len(text) == 2 for text in keys(language).values() if not isinstance(text, str))


def test_every_text_that_is_asked_for_exists() -> None:
    asked = set()
    for path in (*FOLDER.rglob("*.html"), *FOLDER.glob("*.py")):
        asked |= set(re.findall(r"""\bt\(["']([a-z_]+\.[a-z_]*[a-z])["']""", path.read_text(encoding="utf-8")))
    assert len(asked) > 40
    assert asked <= set(keys("en")) | {key for key in keys("de") if key.startswith(GERMAN_ONLY)}


def test_german_says_of_every_badge_what_it_is_for_and_what_it_takes() -> None:
    german, catalog = texts_of("de"), load_catalog()
    for badge in catalog.badges.values():
        metric = words.metric_of(badge)
        assert {f"about.{metric}", f"need.{metric}", f"proof.{metric}"} <= set(keys("de")), badge.key
        assert words.about(german, badge) != badge.description
        assert words.about(texts_of("en"), badge) == badge.description


def test_numbers_dates_and_forms() -> None:
    english, german = texts_of("en"), texts_of("de")
    assert (english.number(1234567), german.number(1234567), german.number(1234.5)) == (
        "1,234,567",
        "1.234.567",
        "1.234,5",
    )
    assert (english.day(date(2024, 5, 1)), german.day(date(2024, 3, 21))) == ("1 May 2024", "21. März 2024")
    assert (english("proof.genres", n=1), english("proof.genres", n=1200)) == ("one genre", "1,200 genres")
    with pytest.raises(KeyError):
        english("no.such")


def test_a_name_with_braces_is_a_name() -> None:
    braced = Texts("en", {"x": "by {name}"})
    assert braced("x", name="{name.__class__} {0}") == "by {name.__class__} {0}"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("fr-CH, fr;q=0.9, de;q=0.7, en;q=0.8", "en"),
        ("de-AT;q=0.9, en;q=0.5", "de"),
        ("en;q=nan, de;q=0.1", "de"),
        ("de;q=x", "en"),
        ("de;q=5, xx", "en"),
        ("," * 9000, "en"),
    ],
)
def test_the_language_a_browser_prefers(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_one_text_is_one_line() -> None:
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        assert not line or line[0] in "#[" or re.match(r"[a-z_]+ = \{.*\}$", line), f"line {number}"
