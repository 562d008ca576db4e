"""Completionist: depth. Owning one thing as fully as it can be owned."""

from catalog.ladders import threshold_ladder

BADGES = (
    *threshold_ladder(
        "master-collector",
        "Master Collector",
        category="completionist",
        metric="pressings",
        targets=(3, 5, 10, 25),
        context_kind="master",
        triggers=("ownership.added",),
        description="Own {n} different pressings of the same master release",
    ),
)
