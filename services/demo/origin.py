"""Where each collector of the demo comes from, in a few words; deploy/demo/ORIGIN.md says it in full."""

from __future__ import annotations

from services.demo import catalogue, data


def origins() -> dict[str, str]:
    """What each collector is, by name; the numbers are counted in the data."""
    exports = data.snapshots("collection")
    sizes = [len(export.table.rows) for export in exports]
    piece = catalogue.piece()
    records = {row.cells["release_id"] for row in data.copies().rows}
    return {
        data.COPIES_OF: f"a real collection of {len(records):,} records (MIT)",
        data.COMPOSED: f"composed from {len(data.composed_releases()):,} CC0 records, nobody's collection",
        catalogue.COLLECTOR: f"composed of the {piece.owned} (of {piece.releases}) releases of R & S Records that are"
        f" dated before {catalogue.BEFORE}, nobody's collection",
        data.SNAPSHOTS_OF: f"a real collection, {len(exports)} exports of {min(sizes)} to {max(sizes)} records (MIT)",
    }
