"""Numbers as sentences: what an award's evidence and a progress entry say, whatever the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

SHORTEST_TITLE: Final = 8
LONGEST_MASTER: Final = 16
ROOM: Final = 60
NUMERALS: Final = frozenset({"i", "ii", "iii", "iv", "v"})

# Where the metric's own name does not read well behind a number; all others are their name in words.
PHRASES: Final[Mapping[str, str]] = {
    "pressings": "pressings of one master",
    "largest_decade": "of one decade",
    "oldest_age_years": "years of age",
    "years_since_join": "years since joining",
    "wishlist": "wishes",
    "compares": "comparisons",
    "label_coverage": "% of a label",
    "artist_coverage": "% of an artist",
    "cluster_artists": "artists who work with each other",
}


def in_words(evidence: Mapping[str, Any], room: int = ROOM) -> str:
    """The evidence of an award as a sentence of `room` characters or so: "10 genres with «Title» (release 123)".

    Shape:   where an item crossed the line, the number is the line; else it is what was reached.
    """
    metric, value, target = evidence.get("metric"), evidence.get("value"), evidence.get("target")
    if not isinstance(metric, str) or not isinstance(value, int):
        return ", ".join(f"{name} {fact}" for name, fact in evidence.items())
    if (oldest := evidence.get("oldest")) is not None:
        return _with_title(f"{counted(value, 'years')}: ", oldest, f", {oldest['year']}", room)
    if (first := evidence.get("first_pressing")) is not None:
        return _with_title(
            f"{counted(first['versions'], 'dated versions')}, the first ", first, f", {first['date']}", room
        )
    if "percentage" in evidence:
        return _share(evidence, room)
    if (path := evidence.get("path")) is not None:
        return f"{counted(value, 'hops')}, from {path[0]['name']} to {path[-1]['name']}"
    item = evidence.get("earned_with")
    if item is None:
        return counted(value, noun(metric, evidence))
    number = target if isinstance(target, int) else value
    if "master" in evidence:
        # It bears the master's title more often than not.
        item = {"release_id": item["release_id"]}
    return _with_title(f"{counted(number, noun(metric, evidence))} with ", item, "", room)


def _share(evidence: Mapping[str, Any], room: int) -> str:
    """How much of a label or an artist, by name where it is known."""
    kind, things = ("label", "releases") if "label_id" in evidence else ("artist", "works")
    name = evidence.get(kind) or f"{kind} {evidence[f'{kind}_id']}"
    share = f"{evidence['owned']:,} of {evidence['total']:,} {things}, {evidence['percentage']:g} %: "
    return share + quoted(name, max(SHORTEST_TITLE, room - len(share) - 2))


def noun(metric: str, evidence: Mapping[str, Any]) -> str:
    """What is counted, in the plural; details name the one decade or master."""
    if (decade := evidence.get("decade")) is not None:
        return f"of the {decade}s"
    if (master := evidence.get("master")) is not None:
        return f"pressings of {quoted(master, LONGEST_MASTER)}"
    return PHRASES.get(metric) or metric.replace("_", " ")


def _with_title(before: str, facts: Mapping[str, Any], after: str, room: int) -> str:
    """A sentence that names a release by title and id; of some the id alone is known."""
    title, number = facts.get("title"), facts["release_id"]
    if not title:
        return f"{before}release {number}{after}"
    rest = f"{after} (release {number})"
    return before + quoted(title, max(SHORTEST_TITLE, room - len(before) - len(rest) - 2)) + rest


def quoted(title: str, longest: int) -> str:
    """A title, shortened where it is longer."""
    return f"«{title if len(title) <= longest else title[: longest - 1].rstrip() + '…'}»"


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


def tier_name(tier: str | None) -> str:
    """A tier as people write it: Gold, III; empty for badges without tiers."""
    if tier is None:
        return ""
    return tier.upper() if tier in NUMERALS else tier.capitalize()


def counted(number: int, what: str) -> str:
    """A number with its noun: "1 event", "90 events"."""
    return f"{number:,} {singular(what) if number == 1 else what}"


def span(numbers: Sequence[int]) -> str:
    """Partition numbers as people write them: "0–3", or each where they are no range."""
    ordered = sorted(numbers)
    if len(ordered) > 1 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}–{ordered[-1]}"
    return ", ".join(map(str, ordered))
