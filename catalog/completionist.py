"""Completionist: depth. Owning one thing as fully as it can be owned."""

from catalog.ladders import coverage_ladder, threshold_ladder

BADGES = (
    *coverage_ladder(
        "label-loyalist",
        "Label Loyalist",
        category="completionist",
        of="label",
        percents=(25, 50, 75, 90),
        triggers=("ownership.added",),
        description="Own {n} % of the releases of a label",
    ),
    *coverage_ladder(
        "discography-deep-dive",
        "Discography Deep Dive",
        category="completionist",
        of="artist",
        percents=(25, 50, 75, 90),
        triggers=("ownership.added",),
        description="Own {n} % of the discography of an artist",
    ),
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
