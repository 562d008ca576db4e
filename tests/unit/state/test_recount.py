"""A recount counts all at once what events count step by step."""

from __future__ import annotations

import random

import pytest

from services.state.collector import Collector
from services.state.facets import Counted, Counter
from services.state.holdings import Holding
from services.state.recount import copies_drift, differences, fresh


def release(dice: random.Random) -> Counted:
    """Facts as they come: of few values, so that they meet; some of everything is unknown."""

    def some(first: int, most: int) -> tuple[int, ...]:
        return tuple(dice.sample(range(first, first + 12), dice.randrange(most + 1)))

    bounded = {"genres": some(0, 3), "styles": some(20, 5), "countries": some(40, 1), "formats": some(60, 2)}
    return Counted(
        **bounded,
        bounded=tuple((metric, id_) for metric, ids in bounded.items() for id_ in ids),
        labels=some(-5, 2),
        artists=some(300, 3),
        master=dice.choice((0, 0, 7, 8, 9)),
        year=dice.choice((0, 1959, 1960, 1969, 1970, 2020)),
        mono=dice.random() < 0.3,
        deep_cut=dice.random() < 0.3,
        title=f"{dice.random()}",
    )


@pytest.mark.parametrize("seed", range(20))
def test_what_steps_come_to(seed: int) -> None:
    dice = random.Random(seed)
    releases = {f"{at}".encode(): release(dice) for at in range(dice.choice((0, 1, 5, 40)))}
    counter = Counter(lambda facet, value: 0)
    counter._known = dict(releases)
    holdings = [Holding(-at, 2, content, dice.random() < 0.3) for at, content in enumerate(releases)]
    steps = Collector("ann")
    for one in holdings:
        assert one.counted is not None
        steps.count(releases[one.counted], 1, one.first_pressing)
    steps.count_activity("review", 1)
    # What is not owned any more, or never was, is not counted.
    gone = [Holding(1000), Holding(1001, 0, next(iter(releases), None))]
    found = fresh("ann", [*holdings, *gone], [("review", "r"), ("join", "2020-02-29")], counter)
    assert found.counters == steps.counters
    assert (found.facets.pack(), found.years.pack()) == (steps.facets.pack(), steps.years.pack())
    assert (found.unbounded, found.credits) == (steps.unbounded, steps.credits)
    assert (found.unbounded_changed, found.titles) == (steps.unbounded_changed, steps.titles)
    assert (found.changed, found.moved, f"{found.joined_on}") == (True, [], "2020-02-29")
    steps.joined_on = found.joined_on
    assert differences(steps, found) == {}


def test_what_drifted_is_named_in_order() -> None:
    stored, counted = Collector("ann"), Collector("ann")
    stored.counters["genres"] = 1
    stored.unbounded = {(b"m", 9): 1, (b"l", 2): 1, (b"l", 10): 3}
    counted.unbounded = {(b"m", 9): 1, (b"l", 2): 2, (b"a", 5): 1}
    counted.credits = {9: {5: 1}}
    assert list(differences(stored, counted).items()) == [
        ("genres", (1, 0)),
        ("a:5", (0, 1)),
        ("l:2", (1, 2)),
        ("l:10", (3, 0)),
        ("credits:9", ({}, {5: 1})),
    ]
    held = [Holding(3, 1), Holding(1, 2), Holding(4), Holding(2, 5)]
    assert list(copies_drift(held, {2: 5, 3: 2, 7: 1}).items()) == [(1, (2, 0)), (3, (1, 2)), (7, (0, 1))]
