"""What is still to do for a badge, as a sentence to a collector: "Add 32 more Warp Records releases".

Shape:   one sentence without a full stop; `name` is what the badge is asked for: a label, an artist, a master, or the
         largest decade ("1970s").
Units:   `needed` counts things, not percent: releases, genres, years.
Raises:  nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from catalog.definition import TENURE_METRIC, BadgeDefinition, Coverage, Criterion, Tenure, Threshold, coverage_metric
from contracts.snapshot import METRICS

EARNED: Final = "Earned"
REACHED: Final = "Reached, the award is still to come"
REVOKED: Final = "Taken back; only given again by hand"
RETIRED: Final = "No longer given"
SIZE_UNKNOWN: Final = "Catalogue size not known"
JOIN_UNKNOWN: Final = "Join date not known"

# By metric: the sentence, `{n}` things of one or of several, `{name}` where there is one.
_SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    "releases": ("Add {n}", "more release", "more releases"),
    "genres": ("Add {n}", "more genre", "more genres"),
    "styles": ("Add {n}", "more style", "more styles"),
    "labels": ("Add records from {n}", "more label", "more labels"),
    "countries": ("Add records from {n}", "more country", "more countries"),
    "decades": ("Add records from {n}", "more decade", "more decades"),
    "largest_decade": ("Add {n} from {name}", "more record", "more records"),
    "mono_releases": ("Add {n}", "more mono release", "more mono releases"),
    "formats": ("Add records in {n}", "more format", "more formats"),
    "deep_cuts": ("Add {n} that fewer than 100 collectors have", "more release", "more releases"),
    "first_pressings": ("Add {n}", "more first pressing", "more first pressings"),
    "taste_dimensions": ("Build up {n}", "more genre or style", "more genres or styles"),
    "pressings": ("Add {n} of {name}", "more pressing", "more pressings"),
    "hops": ("Lengthen your longest chain of collaborations by {n}", "more step", "more steps"),
    "cluster_artists": ("Add {n} to your largest circle of collaborators", "more artist", "more artists"),
    "reviews": ("Write {n}", "more review", "more reviews"),
    "edits": ("Have {n} approved", "more edit", "more edits"),
    "wishlist": ("Put {n} on your wishlist", "more release", "more releases"),
    "compares": ("Run {n}", "more comparison", "more comparisons"),
    "label_coverage": ("Add {n}", "more {name}release", "more {name}releases"),
    "artist_coverage": ("Add {n} by {name}", "more work", "more works"),
    TENURE_METRIC: ("{n} as a member", "more year", "more years"),
}
_NAMELESS: Final = {
    "largest_decade": "one decade",
    "pressings": "this master",
    "artist_coverage": "this artist",
}


def remaining(badge: BadgeDefinition, needed: int | None, name: str | None = None, *, total: int | None = None) -> str:
    """What is still to do for a badge that is not awarded; `needed` None is a number that is not known.

    Shape:   `total` is the size of the catalogue that a coverage is measured against, where it is known.
    """
    if badge.retired:
        return RETIRED
    if (ceiling := out_of_reach(badge.criterion)) is not None:
        return ceiling
    if needed is None:
        return _not_known(badge, total)
    if needed <= 0:
        return REACHED
    metric = _metric(badge.criterion)
    if metric == "oldest_age_years" and isinstance(badge.criterion, Threshold):
        return f"Add a pressing that is at least {_years(badge.criterion.at_least)} old"
    if metric not in _SENTENCES:
        return badge.description
    sentence, one, many = _SENTENCES[metric]
    noun = one if needed == 1 else many
    if metric == "label_coverage":
        # Names are used as they are: "Warp Records releases", "Kompakt releases".
        named = noun.replace("{name}", f"{name} " if name else "")
        return sentence.replace("{n}", f"{needed:,} {named}") + ("" if name else " of this label")
    place = f"the {name}" if name and metric == "largest_decade" else name or _NAMELESS.get(metric, "")
    return sentence.replace("{n}", f"{needed:,} {noun}").replace("{name}", place)


def hint(badge: BadgeDefinition, context: str, value: int | None, evidence: Mapping[str, Any]) -> str:
    """What is still to do, from the numbers of a verdict; of a badge with contexts and none yet, what it asks for."""
    if badge.context_kind and not context and value is not None:
        return badge.description
    name = f"{evidence['decade']}s" if "decade" in evidence else evidence.get(badge.context_kind)
    return remaining(badge, needed_for(badge.criterion, value, evidence), name, total=evidence.get("total"))


def needed_for(criterion: Criterion, value: int | None, evidence: Mapping[str, Any]) -> int | None:
    """How many more things it takes: of a coverage by `owned` and `total` of the evidence, else by the metric's value.

    Shape:   None where the number, or the size of the catalogue, is not known, or the tier is out of reach.
    """
    if out_of_reach(criterion) is not None:
        return None
    match criterion:
        case Coverage():
            owned: int | None = evidence.get("owned")
            total: int | None = evidence.get("total")
            if owned is None or total is None or total < criterion.min_total:
                return None
            return max(0, -(-criterion.percent * total // 100) - owned)
        case Threshold(at_least=target) | Tenure(years=target):
            return None if value is None else max(0, target - value)
        case _:
            return None


def out_of_reach(criterion: Criterion) -> str | None:
    """Why nobody can get there, where nobody can: "Out of reach, there are only 15 genres"."""
    if not isinstance(criterion, Threshold):
        return None
    metric = METRICS[criterion.metric]
    if metric.ceiling is None or criterion.at_least <= metric.ceiling:
        return None
    return f"Out of reach, there are only {metric.ceiling} {metric.unit}"


def _not_known(badge: BadgeDefinition, total: int | None) -> str:
    match badge.criterion:
        case Coverage(of=of, min_total=least) if total is not None:
            things = ("release" if of == "label" else "work") + ("" if total == 1 else "s")
            return f"A catalogue of {total:,} {things} is too small, {least:,} needed"
        case Coverage():
            return SIZE_UNKNOWN
        case Tenure():
            return JOIN_UNKNOWN
        case _:
            return badge.description


def _metric(criterion: Criterion) -> str:
    match criterion:
        case Threshold():
            return criterion.metric
        case Coverage():
            return coverage_metric(criterion)
        case Tenure():
            return TENURE_METRIC
        case _:
            return ""


def _years(number: int) -> str:
    return f"{number:,} year{'s' if number != 1 else ''}"
