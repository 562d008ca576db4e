"""What a user's releases do not say, where a badge reads it: "41 of 316 releases have no country"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

# By metric: the fields that it reads, as services/stores/sql/why.sql counts their absence.
READS: Final[Mapping[str, tuple[str, ...]]] = {
    "genres": ("genres",),
    "styles": ("styles",),
    "labels": ("labels",),
    "countries": ("country",),
    "decades": ("year",),
    "largest_decade": ("year",),
    "oldest_age_years": ("year",),
    "mono_releases": ("formats",),
    "formats": ("formats",),
    "first_pressings": ("year", "master_id"),
    "deep_cuts": ("have",),
    "taste_dimensions": ("genres", "styles"),
    "pressings": ("master_id",),
    "label_coverage": ("label_ids",),
    "artist_coverage": ("artist_ids",),
    "hops": ("artist_ids",),
    "cluster_artists": ("artist_ids",),
}
_WORDS: Final = {
    "genres": "genre",
    "styles": "style",
    "labels": "label",
    "country": "country",
    "year": "year of pressing",
    "formats": "format",
    "master_id": "master, or word that there is none",
    "have": "number of owners",
    "label_ids": "label with an id",
    "artist_ids": "artist with an id",
}


def fields_of(metrics: Iterable[str]) -> list[str]:
    """The fields that any of these metrics read, each once, in the metrics' order."""
    return list(dict.fromkeys(field for metric in metrics for field in READS.get(metric, ())))


def in_words(fields: Iterable[str], counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """The gaps among these fields, the largest first; `counted` has their numbers and that of all `releases`."""
    total = counted["releases"]
    found = [(counted[field], field) for field in fields if counted[field]]
    return [
        {
            "field": field,
            "missing": number,
            "releases": total,
            "words": f"{number:,} of {total:,} releases {'has' if number == 1 else 'have'} no {_WORDS[field]}",
        }
        for number, field in sorted(found, key=lambda one: -one[0])
    ]
