"""Breadth: how far a collection reaches across genres, styles, labels and countries."""

from catalog.ladders import threshold_ladder

BADGES = (
    *threshold_ladder(
        "genre-tourist",
        "Genre Tourist",
        category="breadth",
        metric="genres",
        targets=(5, 10, 20, 30),
        triggers=("ownership.added",),
        description="Own releases from {n} genres",
    ),
    *threshold_ladder(
        "style-explorer",
        "Style Explorer",
        category="breadth",
        metric="styles",
        targets=(10, 25, 50, 100),
        triggers=("ownership.added",),
        description="Own releases in {n} styles",
    ),
    *threshold_ladder(
        "label-hopper",
        "Label Hopper",
        category="breadth",
        metric="labels",
        targets=(10, 50, 100, 500),
        triggers=("ownership.added",),
        description="Own releases on {n} labels",
    ),
    *threshold_ladder(
        "world-collector",
        "World Collector",
        category="breadth",
        metric="countries",
        targets=(5, 15, 30, 50),
        triggers=("ownership.added",),
        description="Own releases from {n} countries",
    ),
)
