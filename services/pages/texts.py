"""The texts of the pages in every language we speak: `texts.toml`, one line per text."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
FALLBACK: Final = "en"
FILE: Final = Path(__file__).parent / "texts.toml"


class Texts:
    """The texts of one language, and how it writes numbers and dates."""

    def __init__(self, language: str, texts: Mapping[str, str | list[str]]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text with its values put in; of two forms the first where `n` is 1.

        Raises:  KeyError for a text that does not exist.
        """
        text = self._texts[key]
        if not isinstance(text, str):
            text = text[values["n"] != 1]
        return text.format_map({name: self._written(value) for name, value in values.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def number(self, value: float) -> str:
        """1,234.5 in English, 1.234,5 in German."""
        text = f"{value:,}"
        return text.translate(_SWAP) if self.language == "de" else text

    def day(self, on: date) -> str:
        """21 May 2024, 21. Mai 2024."""
        return self("date.day", day=str(on.day), month=self.month_name(on), year=str(on.year))

    def month(self, on: date) -> str:
        """May 2024, Mai 2024."""
        return f"{self.month_name(on)} {on.year}"

    def month_name(self, on: date) -> str:
        """May, Mai."""
        return self("date.months").split()[on.month - 1]

    def _written(self, value: object) -> str:
        return self.number(value) if isinstance(value, int | float) else str(value)


_SWAP: Final = str.maketrans(",.", ".,")


@functools.cache
def texts_of(language: str) -> Texts:
    """The texts of a language that we speak.

    Raises:  KeyError for another.
    """
    return Texts(language, _catalogue()[language])


def preferred(accepted: str) -> str:
    """The language of ours that a browser would like best, by its Accept-Language."""
    best, weight = FALLBACK, 0.0
    for part in accepted[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        language = tag.partition("-")[0].lower()
        try:
            liked = float(quality or 1)
        except ValueError:
            continue
        if language in LANGUAGES and weight < liked <= 1:
            best, weight = language, liked
    return best


@functools.cache
def _catalogue() -> dict[str, dict[str, str | list[str]]]:
    tree = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found: dict[str, dict[str, str | list[str]]] = {language: {} for language in LANGUAGES}
    for key, text in _leaves(tree, ""):
        for language in text:
            found[language][key] = text[language]
    return found


def _leaves(tree: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, str | list[str]]]]:
    for name, below in tree.items():
        if LANGUAGES.keys() & below.keys():
            yield path + name, below
        else:
            yield from _leaves(below, f"{path}{name}.")
