"""Graph: what connects the records of a collection."""

from catalog.ladders import threshold_ladder

BADGES = (
    *threshold_ladder(
        "six-degrees",
        "Six Degrees",
        category="graph",
        metric="hops",
        targets=(3, 5, 7, 10),
        triggers=("collection.synced",),
        description="Own artists that are {n} collaborations apart, through artists of the collection",
    ),
    *threshold_ladder(
        "scene-builder",
        "Scene Builder",
        category="graph",
        metric="cluster_artists",
        targets=(5, 10, 20),
        triggers=("collection.synced",),
        description="Own a scene of {n} artists who worked with each other",
    ),
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
