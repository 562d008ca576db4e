"""Temporal: how far back a collection reaches, and how deep it sits in one decade."""

from catalog.ladders import threshold_ladder

BADGES = (
    *threshold_ladder(
        "time-traveler",
        "Time Traveler",
        category="temporal",
        metric="decades",
        targets=(3, 4, 5, 6),
        triggers=("ownership.added",),
        description="Own pressings from {n} decades",
    ),
    *threshold_ladder(
        "era-specialist",
        "Era Specialist",
        category="temporal",
        metric="largest_decade",
        targets=(25, 50, 100, 250),
        triggers=("ownership.added",),
        description="Own {n} releases pressed in a single decade",
    ),
    *threshold_ladder(
        "vinyl-archaeologist",
        "Vinyl Archaeologist",
        category="temporal",
        metric="oldest_age_years",
        targets=(25, 40, 50, 60),
        triggers=("ownership.added",),
        description="Own a pressing that is at least {n} years old",
    ),
)
