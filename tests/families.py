"""Contract §4 as a table: the cases of every badge family, for the catalog and for the model of the whole.

A new badge has one line here: from it the tests make the near miss and the fact that earns each tier.
"""

from typing import NamedTuple

METALS = ("bronze", "silver", "gold", "platinum")
ROMANS = ("i", "ii", "iii", "iv", "v")


class Family(NamedTuple):
    category: str
    metric: str
    targets: tuple[int, ...]
    tiers: tuple[str, ...]
    trigger: str


FAMILIES = {
    "label-loyalist": Family("completionist", "label_coverage", (25, 50, 75, 90), METALS, "ownership.added"),
    "discography-deep-dive": Family("completionist", "artist_coverage", (25, 50, 75, 90), METALS, "ownership.added"),
    "master-collector": Family("completionist", "pressings", (3, 5, 10, 25), METALS, "ownership.added"),
    "genre-tourist": Family("breadth", "genres", (5, 10, 20, 30), METALS, "ownership.added"),
    "style-explorer": Family("breadth", "styles", (10, 25, 50, 100), METALS, "ownership.added"),
    "label-hopper": Family("breadth", "labels", (10, 50, 100, 500), METALS, "ownership.added"),
    "world-collector": Family("breadth", "countries", (5, 15, 30, 50), METALS, "ownership.added"),
    "time-traveler": Family("temporal", "decades", (3, 4, 5, 6), METALS, "ownership.added"),
    "era-specialist": Family("temporal", "largest_decade", (25, 50, 100, 250), METALS, "ownership.added"),
    "vinyl-archaeologist": Family("temporal", "oldest_age_years", (25, 40, 50, 60), METALS, "ownership.added"),
    "six-degrees": Family("graph", "hops", (3, 5, 7, 10), METALS, "collection.synced"),
    "scene-builder": Family("graph", "cluster_artists", (5, 10, 20), METALS[:3], "collection.synced"),
    "taste-architect": Family("graph", "taste_dimensions", (5, 10, 15, 20), METALS, "ownership.added"),
    "mono-enthusiast": Family("special", "mono_releases", (10,), (), "ownership.added"),
    "format-completionist": Family("special", "formats", (5,), (), "ownership.added"),
    "first-pressing": Family("special", "first_pressings", (1,), (), "ownership.added"),
    "deep-cut": Family("special", "deep_cuts", (1,), (), "ownership.added"),
    "owner": Family("community", "releases", (1, 10, 100, 500, 1000), ROMANS, "ownership.added"),
    "wishlister": Family("community", "wishlist", (1, 10, 50, 100, 500), ROMANS, "wishlist.added"),
    "reviewer": Family("community", "reviews", (1, 5, 25, 100, 250), ROMANS, "review.approved"),
    "editor": Family("community", "edits", (1, 10, 50, 250, 1000), ROMANS, "edit.approved"),
    "comparer": Family("community", "compares", (1, 10, 50, 100, 250), ROMANS, "compare.used"),
    "anniversary": Family("community", "years_since_join", (1, 2, 3, 5, 10), ROMANS, "cron.anniversary"),
}

TARGETS = {
    f"{family}-{tier}" if tier else family: (family, target)
    for family, row in FAMILIES.items()
    for target, tier in zip(row.targets, row.tiers or ("",), strict=True)
}
