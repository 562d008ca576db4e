"""What a bench found, as a line of the table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """Ours beside a floor measured in the same run; `relation` says on which side of the goal the ratio belongs."""

    bench: str
    unit: str
    ours: float
    floor: float
    relation: Literal[">=", "<="]
    target: float
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours over the floor."""
        return self.ours / self.floor

    @property
    def ok(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio >= self.target if self.relation == ">=" else self.ratio <= self.target

    @property
    def goal(self) -> str:
        """The goal as text: `>= 0.7`."""
        return f"{self.relation} {self.target:g}"


def as_json(results: Sequence[Result]) -> str:
    """One list of objects."""
    return json.dumps(
        [
            {
                "bench": one.bench,
                "unit": one.unit,
                "ours": round(one.ours, 3),
                "floor": round(one.floor, 3),
                "ratio": round(one.ratio, 3),
                "goal": one.goal,
                "ok": one.ok,
            }
            for one in results
        ],
        indent=2,
    )


def as_table(results: Sequence[Result]) -> Table:
    """The same for a person, with what else was counted below each line."""
    table = Table("bench", "unit", title="ours beside the floor, in one run")
    for name in ("ours", "floor", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("goal")
    table.add_column("ok")
    for one in results:
        verdict = "[green]yes[/]" if one.ok else "[red]no[/]"
        name = f"{one.bench}\n[dim]{one.note}[/]" if one.note else one.bench
        table.add_row(name, one.unit, _shown(one.ours), _shown(one.floor), f"{one.ratio:.2f}", one.goal, verdict)
    return table


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2f}"
