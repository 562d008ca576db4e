"""Counters that move by one release equal a count from nothing, whatever comes and goes."""

from __future__ import annotations

from collections import Counter as Tally
from itertools import count as numbers

from hypothesis import given
from hypothesis import strategies as st

from services.state.collector import COUNTERS, Collector
from services.state.facets import Counter, count, formats_of, label_value
from services.state.facts import Facts

_ids: dict[tuple[str, str], int] = {}
_next = numbers(1)


def facet_id(facet: str, value: str) -> int:
    return _ids.setdefault((facet, value), next(_next))


names = st.sampled_from(["a", "b", "c"])
facts = st.builds(
    Facts,
    title=st.none(),
    master_id=st.sampled_from([None, 0, 1, 2]),
    year=st.sampled_from([None, 0, -1, 1955, 1960, 1969, 1970, 1999]),
    country=st.sampled_from([None, "US", "UK", "Europe", "Trinidad & Tobago"]),
    labels=st.none()
    | st.lists(st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from(["x", "y", "Not On Label (x)"]))).map(tuple),
    formats=st.none()
    | st.lists(
        st.tuples(
            st.sampled_from(["Vinyl", "CD", "All Media", "Shellac"]),
            st.lists(st.sampled_from(["LP", '7"', "Mono", "Album"])).map(tuple),
        )
    ).map(tuple),
    genres=st.none() | st.lists(names).map(tuple),
    styles=st.none() | st.lists(names).map(tuple),
    have=st.sampled_from([None, 0, 99, 100]),
)


def recount(owned: list[Facts]) -> dict[str, int]:
    """The contract's words, counted the slow way."""
    genres = Tally(genre for one in owned for genre in set(one.genres or ()))
    styles = Tally(style for one in owned for style in set(one.styles or ()))
    years = [year for one in owned if (year := one.pressing_year())]
    decades = Tally(year // 10 for year in years)
    return {
        "releases": len(owned),
        "genres": len(genres),
        "styles": len(styles),
        "labels": len({label_value(*label) for one in owned for label in one.labels or ()} - {None}),
        "countries": len({one.country for one in owned} & {"US", "UK", "Trinidad & Tobago"}),
        "decades": len(decades),
        "largest_decade": max(decades.values(), default=0),
        "mono_releases": sum(any("Mono" in words for _, words in one.formats or ()) for one in owned),
        "formats": len({name for one in owned for name in formats_of(one)}),
        "deep_cuts": sum(one.have is not None and one.have < 100 for one in owned),
        "taste_dimensions": sum(n >= 3 for tally in (genres, styles) for n in tally.values()),
        "oldest_year": min(years, default=0),
    }


@given(st.lists(st.tuples(facts, st.booleans()), max_size=40))
def test_counters_equal_a_recount(moves: list[tuple[Facts, bool]]) -> None:
    collector, owned = Collector("u"), list[Facts]()
    for one, leave in moves:
        if leave and owned:
            gone = owned.pop(len(owned) // 2)
            collector.count(count(gone, facet_id), -1)
        else:
            owned.append(one)
            collector.count(count(one, facet_id), 1)
        expected = recount(owned)
        assert {name: collector.counters[name] for name in expected} == expected
        pressings = Tally(one.master_id for one in owned if one.master_id)
        for master in (1, 2):
            assert collector.value("pressings", f"master:{master}") == pressings[master]
    assert set(collector.counters) == set(COUNTERS)


def test_the_earliest_of_equal_decades_is_the_largest() -> None:
    collector = Collector("u")
    for year in (1985, 1972):
        collector.count(count(Facts(year=year), facet_id), 1)
    assert collector.details("largest_decade") == {"decade": 1970}


def test_sizes_win_over_vinyl_and_two_count_as_two() -> None:
    assert formats_of(Facts(formats=(("Vinyl", ("LP", '10"')),))) == ["LP", '10"']
    assert formats_of(Facts(formats=(("Vinyl", ("Album",)),))) == ["Vinyl"]
    assert formats_of(Facts(formats=(("All Media", ("LP",)), ("Shellac", ('10"',)), ("CD", ())))) == ["Shellac", "CD"]


def test_a_label_counts_by_id_else_by_its_exact_name() -> None:
    assert label_value(5, "Svek") == label_value(5, "SVEK") == 5
    assert label_value(None, "Svek") != label_value(None, "svek")
    assert (label_value(None, "Svek") or 0) < 0
    assert label_value(5, "Not On Label (Svek Self-released)") is None


def test_the_counter_remembers_and_forgets() -> None:
    counter = Counter(facet_id, most=2)
    contents = [Facts(genres=(name,)).content for name in "abc"]
    assert [counter(content).genres for content in contents] == [(facet_id("genre", name),) for name in "abc"]
    assert contents[2] in counter
    assert contents[0] not in counter
