"""What a bench says of a ratio, and how rates are taken from the times of commits."""

import json

import pytest

from bench.bundles import rate
from bench.results import Result, as_json
from bench.throughput import middle


@pytest.mark.parametrize(
    ("relation", "ours", "ok"), [(">=", 70.0, True), (">=", 69.9, False), ("<=", 70.0, True), ("<=", 70.1, False)]
)
def test_a_goal_is_met_on_its_own_side(relation: str, ours: float, ok: bool) -> None:
    assert Result("single / bare SQL", "events/s", ours, 100.0, relation, 0.7).ok is ok  # type: ignore[arg-type]


def test_json_has_the_fields_that_readers_know() -> None:
    (one,) = json.loads(as_json([Result("flat", "µs/event", 130.0, 100.0, "<=", 1.3, "a note")]))
    assert one == {
        "bench": "flat",
        "unit": "µs/event",
        "ours": 130.0,
        "floor": 100.0,
        "ratio": 1.3,
        "goal": "<= 1.3",
        "ok": True,
    }


def test_a_rate_leaves_the_warm_up_out() -> None:
    # The first bundle took 9 s of the 10; it is the 10 % that are not counted.
    assert rate([0.0, 9.0, 9.5, 10.0], [10, 45, 45]) == 90 / 1.0


def test_a_single_bundle_is_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="nothing is left"):
        rate([0.0, 1.0], [10])


def test_both_numbers_of_a_result_come_from_the_round_in_the_middle() -> None:
    assert middle([50.0, 90.0, 40.0], [100.0, 100.0, 200.0]) == (50.0, 100.0)
