"""The committed data of the demo, as it lies in deploy/demo; ORIGIN.md there says where each file comes from."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from services.importer.snapshots import Snapshot
from services.importer.table import Table, read_table

SNAPSHOTS_OF = "collector-03"
COPIES_OF = "collector-05"
COMPOSED = "composed-01"


def snapshots(kind: str) -> list[Snapshot]:
    """All exports of collector 03 of one kind, "collection" or "wantlist", oldest first.

    Units:   a file name gives the day; noon UTC is taken, and one second more for each number, as two share a day.
    """
    folder = _demo() / SNAPSHOTS_OF
    found = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.startswith(f"{kind}-"):
            continue
        _, number, day = file.name.removesuffix(".csv").split("-", 2)
        time = datetime.fromisoformat(f"{day}T12:00:00+00:00") + timedelta(seconds=int(number))
        found.append(Snapshot(file.name, time, read_table(file.read_bytes(), name=file.name)))
    return found


def copies() -> Table:
    """The copies of collector 05: release, date added, rating."""
    name = f"{COPIES_OF}-instances.csv"
    return read_table((_demo() / name).read_bytes(), name=name)


def copies_facts() -> dict[int, dict[str, Any]]:
    """What is known of collector 05's releases, by release id."""
    lines = gzip.decompress((_demo() / f"{COPIES_OF}-releases.jsonl.gz").read_bytes()).decode()
    return {release["id"]: release for release in map(json.loads, lines.splitlines())}


def composed_releases() -> list[dict[str, Any]]:
    """The releases of the composed collector, with all their facts."""
    return [json.loads(line) for line in _text(f"{COMPOSED}-releases.jsonl").splitlines()]


def activity() -> dict[str, Any]:
    """Joins, reviews and anniversaries: made up for the demo."""
    document: dict[str, Any] = json.loads(_text("activity.json"))
    return document


def folder(name: str) -> Path:
    """A folder of the demo's data, for commands that read files."""
    return Path(str(_demo() / name))


def _demo() -> Traversable:
    return files("deploy") / "demo"


def _text(name: str) -> str:
    return (_demo() / name).read_text(encoding="utf-8")
