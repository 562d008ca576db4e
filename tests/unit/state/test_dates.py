"""The date of issue is as precise as it was stated and has the year that counts; reissues say so themselves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.state.dates import issued, reissue
from services.state.facts import FIELDS, Facts, state_of


@pytest.mark.parametrize(
    ("released", "year", "expected"),
    [
        ("1999", None, "1999"),
        ("1999-03", None, "1999-03"),
        ("1999-03-00", None, "1999-03"),
        ("1999-03-17", None, "1999-03-17"),
        ("1999-00-00", None, "1999"),
        ("1999-00-17", None, "1999"),
        ("1999-13-01", None, "1999"),
        ("1999-03-32", None, "1999"),
        ("1999-3-1", None, "1999"),
        ("07 Apr 2017", None, "2017"),
        ("Feb 1981", 1981, "1981"),
        ("1999-03-17", 1999, "1999-03-17"),
        ("1999-03-17", 2001, "2001"),  # the year that counts is the stated one
        ("1999-03-17", 0, "1999-03-17"),
        ("1999-03-17", -1, None),  # a year was said, and it cannot be
        ("", 1999, "1999"),
        (None, 1999, "1999"),
        ("0000", None, None),
        ("1859", None, None),
        ("unknown", None, None),
        ("", None, None),
        (None, None, None),
        (None, 0, None),
        ("\u0661\u0669\u0669\u0669", None, None),  # digits of another script are no year
    ],
)
def test_issued(released: str | None, year: int | None, expected: str | None) -> None:
    assert issued(released, year) == expected


texts = st.one_of(
    st.none(),
    st.from_regex(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", fullmatch=True),
    st.dates().map(str),
    st.text(alphabet="0123456789- Apr", max_size=12),
)


@given(texts, st.one_of(st.none(), st.integers(-5, 10_000)))
def test_its_year_is_the_pressing_year(released: str | None, year: int | None) -> None:
    facts = state_of(SimpleNamespace(**(dict.fromkeys(FIELDS) | {"released": released, "year": year})), 2026)
    found = issued(facts.released, facts.year)
    assert (None if found is None else int(found[:4])) == facts.pressing_year()
    assert found is None or found == released or len(found) in (4, 7)


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        (None, False),
        ((), False),
        ((("Vinyl", ("LP", "Album")),), False),
        ((("Vinyl", ("LP", "Reissue")),), True),
        ((("CD", ()), ("Vinyl", ("LP", "Repress"))), True),
        ((("CD", ("Remastered",)),), True),
        ((("Vinyl", ("Unofficial Release",)),), True),
        ((("Vinyl", ("Unofficial",)),), True),
        ((("Reissue", ("LP",)),), False),
    ],
)
def test_reissue(formats: tuple[tuple[str, tuple[str, ...]], ...] | None, expected: bool) -> None:
    assert reissue(formats) is expected
    assert reissue(Facts(formats=formats).formats) is expected
