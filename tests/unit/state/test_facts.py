"""What a statement says, how the newest of each field wins, and what is forgotten with a deletion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.state.facts import FIELDS, NOTHING, Facts, Stamp, Statement, facts_of, merge, state_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def stamp(day: int, id_: str = "e", source: str = "s") -> Stamp:
    return Stamp(BEGIN + timedelta(days=day), id_, source)


def release(**facts: Any) -> SimpleNamespace:
    return SimpleNamespace(**(dict.fromkeys(FIELDS) | facts))


@pytest.mark.parametrize(
    ("year", "released", "expected"),
    [
        (1999, None, 1999),
        (None, "1987-05-00", 1987),
        (0, "1987", 1987),
        (None, "07 Apr 2017", 2017),
        (2027, None, 2027),  # the year after the event's
        (2028, None, None),
        (2028, "1999", None),  # a year was said, and it cannot be
        (1860, None, 1860),
        (1859, None, None),
        (-3, "1970", 1970),
        (10**40, None, None),
        (None, "0000", None),
        (None, "1859-01-01", None),
        (None, "", None),
        (None, "unknown", None),
        (None, None, None),
        (None, "\u0661\u0669\u0669\u0669", None),  # digits of another script are no year
    ],
)
def test_pressing_year(year: int | None, released: str | None, expected: int | None) -> None:
    assert state_of(release(year=year, released=released), 2026).pressing_year() == expected


def test_missing_is_unknown_and_an_empty_list_is_a_statement() -> None:
    facts = state_of(release(genres=[], title=""), 2026)
    assert facts.genres == ()
    assert facts.styles is None
    assert facts.title == ""
    assert facts_of(facts.content) == facts
    assert state_of(release(), 2026) == NOTHING


def test_a_made_up_number_of_owners_is_cut_to_what_can_be_kept() -> None:
    facts = state_of(release(have=10**30), 2026)
    assert facts_of(facts.content).have == 2**31 - 1


def test_the_catalogue_wins_field_by_field() -> None:
    ours, theirs = Facts(title="ours", genres=()), Facts(title="theirs", genres=("Jazz",), year=1960)
    assert merge(ours, theirs) == Facts(title="ours", genres=(), year=1960)
    assert merge(None, theirs) == theirs
    assert merge(ours, None) == ours
    assert merge(None, None) == NOTHING


said = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["a", "b"]),
    st.dictionaries(st.sampled_from(["title", "country", "year"]), st.sampled_from([1960, 1970]), max_size=3),
)


@given(st.lists(said, max_size=12), st.integers(0, 5))
def test_the_newest_statement_of_each_field_wins_in_any_order(all_said: list[Any], until: int) -> None:
    statement = Statement()
    expected: dict[str, tuple[Stamp, Any]] = {}
    for day, id_, fields in all_said:
        values = {name: value if name == "year" else str(value) for name, value in fields.items()}
        at = stamp(day, id_)
        statement.say(Facts(**values), at)
        for name, value in values.items():
            if name not in expected or at >= expected[name][0]:
                expected[name] = (at, value)
    assert statement.facts == Facts(**{name: value for name, (_, value) in expected.items()})
    assert statement.per_field() == {name: at for name, (at, _) in expected.items()}
    assert statement.stamp == max((at for at, _ in expected.values()), default=None)

    statement.forget(BEGIN + timedelta(days=until))
    left = {name: value for name, (at, value) in expected.items() if at.time > BEGIN + timedelta(days=until)}
    assert statement.facts == Facts(**left)


def test_only_differing_stamps_are_kept_one_by_one() -> None:
    statement = Statement()
    statement.say(Facts(title="a", year=1960), stamp(1))
    assert (statement.stamp, statement.stamps) == (stamp(1), None)
    statement.say(Facts(title="b"), stamp(2))
    assert statement.stamps == {"title": stamp(2), "year": stamp(1)}
    statement.say(Facts(title="c", year=1970), stamp(3))
    assert (statement.stamp, statement.stamps) == (stamp(3), None)
    assert not statement.say(Facts(title="late"), stamp(2))
