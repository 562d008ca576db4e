"""Graph: what connects the records of a collection."""

from catalog.ladders import threshold_ladder

BADGES = (
    *threshold_ladder(
        "taste-architect",
        "Taste Architect",
        category="graph",
        metric="taste_dimensions",
        targets=(5, 10, 15, 20),
        triggers=("ownership.added",),
        description="Build up {n} genres and styles with three releases or more in each",
    ),
)
