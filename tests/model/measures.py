"""Contract §3 and §4 as plainly as they can be written: what each metric counts, what each badge needs.

Shape:   `owned` is release id -> facts, `facts` is field -> (year in which it was stated, value).
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.countries import COUNTRIES
from tests.families import FAMILIES, TARGETS

Facts = Mapping[str, tuple[int, Any]]
Owned = Mapping[int, Facts]

FIELDS = (
    "title", "master_id", "year", "released", "country", "artists", "labels", "formats", "genres", "styles", "have",
)  # fmt: skip
SIZES = ("LP", '12"', '10"', '7"')
BADGES = tuple(
    (key, FAMILIES[family].metric, target, FAMILIES[family].trigger) for key, (family, target) in TARGETS.items()
)
COUNTED = (
    "releases", "genres", "styles", "labels", "countries", "decades", "largest_decade", "mono_releases", "formats",
    "deep_cuts", "first_pressings", "taste_dimensions",
)  # fmt: skip


def said(facts: Facts, field: str) -> Any:
    """The value of a field, None where nothing is known."""
    return facts[field][1] if field in facts else None


def pressing_year(facts: Facts) -> int | None:
    """`year` if > 0, else the first four digits of `released`; out of 1860 … year of the statement + 1: unknown."""
    stated, year = facts.get("year", (0, 0))
    if year <= 0:
        stated, released = facts.get("released", (0, ""))
        digits = re.search("[0-9]{4}", released)
        year = int(digits[0]) if digits else 0
    return year if 1860 <= year <= stated + 1 else None


def essence(facts: Facts) -> dict[str, Any]:
    """The facts without what cannot count: two statements of one essence count alike."""
    found = {name: value for name, (_, value) in facts.items()}
    if "year" in facts:
        found["year"] = pressing_year({"year": facts["year"]}) or (0 if found["year"] <= 0 else "impossible")
    if "released" in facts and pressing_year({"released": facts["released"]}) is None:
        found["released"] = ""
    return found


def master(facts: Facts) -> int | None:
    """The master release; 0 is none."""
    return said(facts, "master_id") or None


def labels(facts: Facts) -> set[Any]:
    """Labels by id, else by exact name; "Not On Label …" never counts."""
    found = [entry for entry in said(facts, "labels") or () if not entry["name"].startswith("Not On Label")]
    return {entry.get("id") or entry["name"] for entry in found}


def formats(facts: Facts) -> set[str]:
    """Sizes win over "Vinyl"; other carriers by name; "All Media" not at all."""
    found: set[str] = set()
    for entry in said(facts, "formats") or ():
        sizes = {size for size in entry.get("descriptions") or () if size in SIZES}
        if entry["name"] == "Vinyl" and sizes:
            found |= sizes
        elif entry["name"] != "All Media":
            found.add(entry["name"])
    return found


def is_mono(facts: Facts) -> bool:
    """Whether a format says "Mono"."""
    return any("Mono" in (entry.get("descriptions") or ()) for entry in said(facts, "formats") or ())


def metrics_of(owned: Owned) -> dict[str, int]:
    """The counting metrics of a collection, from nothing."""
    every = list(owned.values())
    genres = Counter(name for facts in every for name in set(said(facts, "genres") or ()))
    styles = Counter(name for facts in every for name in set(said(facts, "styles") or ()))
    decades = decades_of(owned)
    return {
        "releases": len(every),
        "genres": len(genres),
        "styles": len(styles),
        "labels": len({label for facts in every for label in labels(facts)}),
        "countries": len({said(facts, "country") for facts in every} & COUNTRIES),
        "decades": len(decades),
        "largest_decade": max(decades.values(), default=0),
        "mono_releases": sum(is_mono(facts) for facts in every),
        "formats": len({carrier for facts in every for carrier in formats(facts)}),
        "deep_cuts": sum(said(facts, "have") is not None and said(facts, "have") < 100 for facts in every),
        "first_pressings": sum(bool(said(facts, "first")) for facts in every),
        "taste_dimensions": sum(n >= 3 for counted in (genres, styles) for n in counted.values()),
    }


def decades_of(owned: Owned) -> Counter[int]:
    """Owned releases by decade, 197 for the seventies."""
    years = [pressing_year(facts) for facts in owned.values()]
    return Counter(year // 10 for year in years if year is not None)


def oldest(owned: Owned) -> tuple[int, int] | None:
    """Year and release of the oldest pressing; of several the smallest release id."""
    years = [(pressing_year(facts), release) for release, facts in owned.items()]
    return min(((year, release) for year, release in years if year is not None), default=None)


def pressings(owned: Owned) -> Counter[int]:
    """Owned releases by master."""
    return Counter(master(facts) for facts in owned.values() if master(facts) is not None)


def owned_of_labels(owned: Owned) -> Counter[Any]:
    """Owned releases by label."""
    return Counter(label for facts in owned.values() for label in labels(facts))


def owned_of_artists(owned: Owned) -> Counter[int]:
    """Owned works by artist: a master once, a release without one for itself; "Various" and the like never."""
    works = {
        (entry.get("id"), master(facts) or -release)
        for release, facts in owned.items()
        for entry in said(facts, "artists") or ()
    }
    return Counter(artist for artist, _ in works if artist not in (None, 194, 355, 118760))


def full_years(since: date, on: date) -> int:
    """Full years; 29 February is reached on 28 February in common years."""
    years = 0
    while True:
        try:
            reached = since.replace(year=since.year + years + 1)
        except ValueError:
            reached = date(since.year + years + 1, 2, 28)
        if reached > on:
            return years
        years += 1
