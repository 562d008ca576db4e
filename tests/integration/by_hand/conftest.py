"""Somebody who has earned a badge."""

import pytest

from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import event, minutes
from tests.model.lab import Log


@pytest.fixture
async def ada(connection: Connection) -> Log:
    """A log in which a review has made ada known, and earned her a badge."""
    log = Log()
    log.append(event("review.approved", "r", {"review_id": "one"}, time=minutes(0)))
    await lab.drain(connection, lab.knowledge(), log)
    await connection.execute("delete from outbox")
    return log
