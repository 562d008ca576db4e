"""Special: single feats, earned once and without tiers."""

from catalog.definition import Threshold
from catalog.ladders import single_badge

BADGES = (
    *single_badge(
        "first-pressing",
        "First Pressing",
        category="special",
        criterion=Threshold(metric="first_pressings", at_least=1),
        triggers=("ownership.added",),
        description="Own the earliest dated version of a master release",
    ),
    *single_badge(
        "deep-cut",
        "Deep Cut",
        category="special",
        criterion=Threshold(metric="deep_cuts", at_least=1),
        triggers=("ownership.added",),
        description="Own a release that fewer than 100 collectors have",
    ),
    *single_badge(
        "mono-enthusiast",
        "Mono Enthusiast",
        category="special",
        criterion=Threshold(metric="mono_releases", at_least=10),
        triggers=("ownership.added",),
        description="Own 10 releases in mono",
    ),
    *single_badge(
        "format-completionist",
        "Format Completionist",
        category="special",
        criterion=Threshold(metric="formats", at_least=5),
        triggers=("ownership.added",),
        description="Own releases in 5 formats",
    ),
)
