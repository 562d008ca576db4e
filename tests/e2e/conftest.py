"""Worlds for the tests, and the logs of their processes where a test fails."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Engines
from tests.e2e.processes import Crew
from tests.e2e.world import World, new_world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Show the ends of all processes' logs with a failure."""
    report = yield
    if report.failed:
        for crew in Crew.every:
            for process in crew.processes:
                report.sections.append((f"log of {process.name} (exit code {process.code})", process.tail()))
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(stack: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A worker and a relay that nobody disturbs; tests keep apart by their users, one runs after the other."""
    async with new_world(stack.endpoints(), tmp_path_factory.mktemp("world")) as found:
        found.relay = found.crew.start("relay")
        found.worker = found.crew.worker()
        yield found
        assert found.worker.terminate() == 0
        assert found.relay.terminate() == 0


@pytest_asyncio.fixture(loop_scope="session")
async def empty_world(stack: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world of the test's own in which nothing runs yet."""
    async with new_world(stack.endpoints(), tmp_path_factory.mktemp("world")) as found:
        yield found
