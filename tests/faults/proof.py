"""What the rows of the fault matrix found, as a table for people."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("faust-streaming", "aiokafka", "asyncpg")
HEAD = """\
# Proof: the faults that were injected, and what held

Written by `{command}` with seed {seed}: Python {python}, {packages}, on the engines of `gatefold stack`.
After each row everything is drained and compared with a model that reads the raw log and shares no code with the
service: positions and accounts of the ledger, every collector's counters, every award with its date and evidence, the
dead letters, the published messages, and `recount --check`.

| row | injected | figures |
|---|---|---|
"""
TAIL = """
Rows that other tests prove in `make test`: 3, 7 and 11 (`tests/e2e/test_engines_away.py`), 4 and 6
(`tests/e2e/test_crash.py`), 19 and 20 (`tests/e2e/test_positions.py`), 21 and 22 (`tests/e2e/test_order.py`,
`tests/integration/test_state_machine.py`), 24 (`tests/e2e/test_poison.py`, `tests/integration/test_malformed.py`),
26 and 27 (`tests/unit/contracts`, `tests/integration/test_extremes.py`). Row 31 does not apply: no badge of the catalog
has a cap. Not run: {missing}.
"""


@dataclass(frozen=True)
class Line:
    """One row that held."""

    row: int
    injected: str
    figures: str


def document(lines: Iterable[Line], *, command: str, seed: int, missing: str) -> str:
    """The table as Markdown."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    head = HEAD.format(command=command, seed=seed, python=platform.python_version(), packages=packages)
    rows = [f"| {line.row} | {line.injected} | {line.figures} |\n" for line in sorted(lines, key=lambda one: one.row)]
    return head + "".join(rows) + TAIL.format(missing=missing)


def write(path: Path, text: str) -> None:
    """Replace the file."""
    path.write_text(text, encoding="utf-8")
