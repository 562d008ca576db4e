"""What an import did or would do, for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from services.importer.events import Import
from services.importer.table import Remark

if TYPE_CHECKING:
    from rich.table import Table as Grid

_KINDS = ("bad line", "bad value", "not mapped")


def as_json(file: str, user: str, plan: Import, *, published: int, dry_run: bool) -> dict[str, Any]:
    """The whole report; `remarks` has one entry per line and reason."""
    return {
        "file": file,
        "user": user,
        "kind": plan.kind,
        "rows": plan.rows,
        "taken": plan.taken,
        "releases": plan.releases,
        "facts": facts_known(plan),
        "remarks_by_kind": {kind: sum(remark.kind == kind for remark in plan.remarks) for kind in _KINDS},
        "remarks": [
            {"line": remark.line, "kind": remark.kind, "field": remark.field, "text": remark.text}
            for remark in plan.remarks
        ],
        "events": [
            {"type": event["type"], "id": event["id"], "time": event["time"], "items": _size(event)}
            for event in plan.events
        ],
        "dry_run": dry_run,
        "published": published,
    }


def facts_known(plan: Import) -> dict[str, int]:
    """Of how many copies the file states each fact."""
    known: Counter[str] = Counter()
    for event in plan.events:
        for item in event["data"].get("items", ()):
            known.update(name for name in item["release"] if name != "id")
    return dict(sorted(known.items()))


def as_line(file: str, remark: Remark) -> str:
    """`file:line: kind, field: text`, as compilers write it."""
    return f"{file}:{remark.line}: {remark.kind}, {remark.field}: {remark.text}"


def as_grid(plan: Import, *, verb: str) -> Grid:
    """The counts as a table; `verb` says whether events were sent or would be."""
    from rich.table import Table as Grid

    grid = Grid(show_header=False, box=None)
    grid.add_row("rows", str(plan.rows))
    grid.add_row("wishes" if plan.kind == "wantlist" else "copies", f"{plan.taken} of {plan.releases} releases")
    for name, count in facts_known(plan).items():
        grid.add_row(f"with {name}", str(count))
    for kind in _KINDS:
        if count := sum(remark.kind == kind for remark in plan.remarks):
            grid.add_row(kind, str(count))
    for type_, count in Counter(event["type"] for event in plan.events).items():
        grid.add_row(f"{verb} {type_}", f"{count} event{'s' * (count != 1)}, {_bytes(plan, type_):,} bytes")
    return grid


def _size(event: dict[str, Any]) -> int:
    data = event["data"]
    return len(data.get("items", data.get("release_ids", ())))


def _bytes(plan: Import, type_: str) -> int:
    return sum(
        len(json.dumps(event["data"], ensure_ascii=False, separators=(",", ":")).encode())
        for event in plan.events
        if event["type"] == type_
    )
