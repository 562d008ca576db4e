"""The watchdog: which pulses end a worker, and which only look like it."""

from typing import Any

import pytest

from services.worker.watchdog import ASSIGNMENT_SECONDS, LOOP_SECONDS, PROGRESS_SECONDS, Pulse

NOW = 10_000.0
LONG = 600.0


def pulse(**changes: Any) -> Pulse:
    """A worker that does well, with changes."""
    well: dict[str, Any] = {
        "beat": NOW - 1,
        "assigned": True,
        "assignment_changed": NOW - LONG,
        "progress": NOW - 1,
        "lag": 5,
        "postgres_since": NOW - LONG,
    }
    return Pulse(**well | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"beat": NOW - LOOP_SECONDS},
        {"assigned": False, "assignment_changed": NOW - ASSIGNMENT_SECONDS},
        # Nothing waits, PostgreSQL is away, or has just come back: a standstill is no fault then.
        {"progress": NOW - LONG, "lag": 0},
        {"progress": NOW - LONG, "postgres_since": None},
        {"progress": NOW - LONG, "postgres_since": NOW - PROGRESS_SECONDS},
        {"progress": NOW - PROGRESS_SECONDS},
        # Who stops gives everything away and works on nothing.
        {"stopping": True, "assigned": False, "progress": NOW - LONG},
    ],
)
def test_all_is_well(changes: dict[str, Any]) -> None:
    assert pulse(**changes).fault(NOW, lambda: None) is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"beat": NOW - LOOP_SECONDS - 1}, "event loop stuck for 16 s"),
        ({"beat": NOW - LOOP_SECONDS - 1, "stopping": True}, "event loop stuck for 16 s"),
        ({"assigned": False, "assignment_changed": NOW - ASSIGNMENT_SECONDS - 1}, "no assignment for 91 s"),
        ({"progress": NOW - PROGRESS_SECONDS - 1}, "5 records wait and none was processed for 121 s"),
        (
            {"progress": NOW - LONG, "postgres_since": NOW - PROGRESS_SECONDS - 1},
            "5 records wait and none was processed for 121 s",
        ),
    ],
)
def test_a_fault(changes: dict[str, Any], fault: str) -> None:
    assert pulse(**changes).fault(NOW, lambda: None) == fault


def test_an_error_that_the_group_coordination_keeps_to_itself() -> None:
    assert pulse().fault(NOW, lambda: "UnknownError") == "group coordination failed: UnknownError"
    assert pulse(stopping=True).fault(NOW, lambda: "UnknownError") is None


def test_postgres_counts_from_its_first_answer_after_a_silence() -> None:
    heard = pulse(postgres_since=None)
    heard.hear_postgres(NOW - 50, True)
    heard.hear_postgres(NOW - 40, True)
    assert heard.postgres_since == NOW - 50
    heard.hear_postgres(NOW - 30, False)
    assert heard.postgres_since is None
    heard.hear_postgres(NOW - 20, True)
    assert heard.postgres_since == NOW - 20
