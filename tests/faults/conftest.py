"""Worlds for the fault matrix, the seed, and the table of what held.

`make test` runs the rows that are not marked `long`; `make faults` runs all of them and writes docs/proof.md.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.stack.stack import Stack
from tests.conftest import Engines
from tests.e2e.conftest import empty_world, pytest_runtest_makereport
from tests.e2e.world import World, new_world
from tests.faults.proof import Line, document, write

__all__ = ["empty_world", "pytest_runtest_makereport"]

LINES: list[Line] = []
SEED = int(os.environ.get("FAULTS_SEED") or 1)

Proof = Callable[..., None]


@pytest.fixture
def seed() -> int:
    """What all dice of a row begin with."""
    sys.stdout.write(f"seed {SEED}\n")
    return SEED


@pytest.fixture
def minutes() -> float:
    """How long a storm lasts."""
    return float(os.environ.get("FAULTS_MINUTES") or 0.5)


@pytest.fixture
def proof() -> Proof:
    """Note a row that held: its number, what was injected, and figures by name."""

    def note(row: int, injected: str, **figures: Any) -> None:
        said = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures.items())
        sys.stdout.write(f"row {row}: {injected}: {said}\n")
        LINES.append(Line(row, injected, said))

    return note


@pytest_asyncio.fixture(loop_scope="session")
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Engines]]:
    """A world on engines of its own, which may be frozen or killed."""
    with Stack.temporary(("postgres", "kafka")) as engines:
        async with new_world(engines.endpoints(), tmp_path_factory.mktemp("fragile")) as world:
            yield world, engines


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table, where `make faults` asks for it and every row held."""
    path = os.environ.get("FAULTS_PROOF")
    if path and LINES and session.testsfailed == 0:
        command = f"make faults SEED={SEED}"
        missing = "29 and 35"
        write(Path(path), document(LINES, command=command, seed=SEED, missing=missing))
