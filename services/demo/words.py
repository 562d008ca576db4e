"""Numbers as sentences: what an award's evidence and a progress entry say, whatever the metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.snapshot import METRICS

LONGEST_TITLE: Final = 34
NUMERALS: Final = frozenset({"i", "ii", "iii", "iv", "v"})

# Where the metric's own name does not read well behind a number; all others are their name in words.
PHRASES: Final[Mapping[str, str]] = {
    "oldest_age_years": "years old",
    "pressings": "pressings of one master",
    "taste_dimensions": "genres and styles of 3 or more releases",
    "largest_decade": "releases of one decade",
    "wishlist": "wishes",
    "compares": "comparisons",
    "years_since_join": "years since joining",
    "label_coverage": "% of a label",
    "artist_coverage": "% of an artist",
}


def in_words(evidence: Mapping[str, Any]) -> str:
    """The evidence of an award as a sentence: "12 genres with «Title» (release 123)"."""
    metric, value, target = evidence.get("metric"), evidence.get("value"), evidence.get("target")
    if not isinstance(metric, str) or not isinstance(value, int):
        return ", ".join(f"{name} {fact}" for name, fact in evidence.items())
    if (oldest := evidence.get("oldest")) is not None:
        return f"{value} years: {release(oldest)} of {oldest['year']}"
    said = f"{value:,} {noun(metric, value, evidence)}"
    item = evidence.get("earned_with")
    if item is None:
        return said
    if value == target or not isinstance(target, int):
        return f"{said} with {release(item)}"
    return f"{said}, the {ordinal(target)} with {release(item)}"


def noun(metric: str, value: int, evidence: Mapping[str, Any]) -> str:
    """What is counted, in the number that goes with `value`; details name the one decade or master."""
    phrase = PHRASES.get(metric) or (metric.replace("_", " ") if metric in METRICS else metric)
    if (decade := evidence.get("decade")) is not None:
        phrase = f"releases of the {decade}s"
    if (master := evidence.get("master")) is not None:
        phrase = f"pressings of {quoted(master)}"
    return singular(phrase) if value == 1 else phrase


def singular(phrase: str) -> str:
    """The phrase with its counted word in the singular: that is the last before "of", "since" or "and"."""
    words = phrase.split(" ")
    ends = [at for at, word in enumerate(words) if word in ("of", "since", "and", "old")]
    at = (ends[0] if ends else len(words)) - 1
    word = words[at]
    if word.endswith("ies"):
        words[at] = word[:-3] + "y"
    elif word.endswith("shes"):
        words[at] = word[:-2]
    else:
        words[at] = word.removesuffix("s")
    return " ".join(words)


def release(facts: Mapping[str, Any]) -> str:
    """A release by its title and id; of some the id alone is known."""
    title = facts.get("title")
    return f"{quoted(title)} (release {facts['release_id']})" if title else f"release {facts['release_id']}"


def quoted(title: str) -> str:
    """A title, shortened where it is long."""
    return f"«{title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + '…'}»"


def ordinal(number: int) -> str:
    """The number as a rank: 1st, 2nd, 3rd, 4th, 1,000th."""
    teens = number % 100 in (11, 12, 13)
    return f"{number:,}" + ("th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))


def tier_name(tier: str | None) -> str:
    """A tier as people write it: Gold, III; empty for badges without tiers."""
    if tier is None:
        return ""
    return tier.upper() if tier in NUMERALS else tier.capitalize()


def counted(number: int, what: str) -> str:
    """A number with its noun: "1 event", "90 events"."""
    return f"{number:,} {singular(what) if number == 1 else what}"
