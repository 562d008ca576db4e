"""What is still to do, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.definition import BadgeDefinition, Coverage, Criterion, Manual, Tenure, Threshold
from catalog.index import load_catalog
from catalog.ladders import single_badge
from contracts.countries import COUNTRIES
from contracts.genres import GENRES
from contracts.snapshot import METRICS
from evaluators.remaining import hint, needed_for, out_of_reach, remaining

LABEL, ARTIST = Coverage(of="label", percent=50), Coverage(of="artist", percent=90)


def badge(criterion: Criterion, **more: Any) -> BadgeDefinition:
    found = single_badge(
        "test", "Test", criterion=criterion, category="special", description="Do something", triggers=()
    )[0]
    return found.model_copy(update=more)


def of(metric: str, at_least: int = 5) -> Threshold:
    return Threshold(metric=metric, at_least=at_least)


@pytest.mark.parametrize(
    ("criterion", "needed", "name", "words"),
    [
        (LABEL, 32, "Warp Records", "Add 32 more Warp Records releases"),
        (LABEL, 1, "Kompakt", "Add 1 more Kompakt release"),
        (LABEL, 1000, "{n} {name}", "Add 1,000 more {n} {name} releases"),
        (LABEL, 2, None, "Add 2 more releases of this label"),
        (ARTIST, 1, "Aphex Twin", "Add 1 more work by Aphex Twin"),
        (ARTIST, 5, None, "Add 5 more works by this artist"),
        (of("pressings"), 1, "Kid A", "Add 1 more pressing of Kid A"),
        (of("pressings"), 3, None, "Add 3 more pressings of this master"),
        (of("genres"), 3, None, "Add 3 more genres"),
        (of("genres"), 1, None, "Add 1 more genre"),
        (of("styles"), 2, None, "Add 2 more styles"),
        (of("labels"), 1, None, "Add records from 1 more label"),
        (of("countries"), 2, None, "Add records from 2 more countries"),
        (of("decades"), 2, None, "Add records from 2 more decades"),
        (of("largest_decade"), 7, "1970s", "Add 7 more records from the 1970s"),
        (of("largest_decade"), 1, None, "Add 1 more record from one decade"),
        (of("oldest_age_years", 40), 3, None, "Add a pressing that is at least 40 years old"),
        (of("oldest_age_years", 1), 1, None, "Add a pressing that is at least 1 year old"),
        (of("taste_dimensions"), 1, None, "Build up 1 more genre or style"),
        (of("reviews"), 4, None, "Write 4 more reviews"),
        (Tenure(years=5), 2, None, "2 more years as a member"),
        (Tenure(years=5), 1, None, "1 more year as a member"),
        (of("genres", 20), None, None, "Out of reach, there are only 15 genres"),
        (Manual(), None, None, "Do something"),
        (of("reviews"), 0, None, "Reached, the award is still to come"),
    ],
)
def test_words(criterion: Criterion, needed: int | None, name: str | None, words: str) -> None:
    assert remaining(badge(criterion), needed, name) == words
    assert remaining(badge(criterion, retired=True), needed, name) == "No longer given"


@pytest.mark.parametrize(
    ("criterion", "total", "words"),
    [
        (LABEL, None, "Catalogue size not known"),
        (LABEL, 4, "A catalogue of 4 releases is too small, 5 needed"),
        (ARTIST, 1, "A catalogue of 1 work is too small, 5 needed"),
        (Tenure(years=1), None, "Join date not known"),
    ],
)
def test_words_for_what_is_not_known(criterion: Criterion, total: int | None, words: str) -> None:
    assert remaining(badge(criterion), None, "Warp", total=total) == words


@pytest.mark.parametrize("key", load_catalog().badges)
def test_every_badge_has_words_of_its_own(key: str) -> None:
    found = load_catalog().badges[key]
    words = [remaining(found, needed, "Somebody") for needed in (1, 2, 1234)]
    assert found.description not in words
    if out_of_reach(found.criterion) is None and "oldest" not in str(found.criterion):
        assert ["1" in words[0], "2" in words[1], "1,234" in words[2]] == [True] * 3
        assert len(set(words)) == 3
    assert not any("{" in text or text.endswith((".", " ")) or "  " in text for text in words)


@given(st.integers(1, 100), st.integers(5, 100_000), st.integers(0, 100_000))
def test_what_is_needed_is_the_least_that_suffices(percent: int, total: int, owned: int) -> None:
    needed = needed_for(Coverage(of="label", percent=percent), owned, {"owned": owned, "total": total})
    assert needed is not None
    assert (owned + needed) * 100 >= percent * total
    assert needed == 0 or (owned + needed - 1) * 100 < percent * total


@pytest.mark.parametrize(
    ("criterion", "value", "evidence", "needed"),
    [
        (LABEL, 40, {"owned": 4, "total": None}, None),
        (LABEL, 40, {}, None),
        (LABEL, 0, {"owned": 0, "total": 4}, None),
        (of("genres"), 3, {}, 2),
        (of("genres"), 9, {}, 0),
        (of("genres", 16), 9, {}, None),
        (of("oldest_age_years"), None, {}, None),
        (Tenure(years=5), 3, {}, 2),
        (Tenure(years=5), None, {}, None),
        (Manual(), 1, {}, None),
    ],
)
def test_what_is_needed(criterion: Criterion, value: int | None, evidence: dict[str, Any], needed: int | None) -> None:
    assert needed_for(criterion, value, evidence) == needed


def test_the_closed_lists_are_as_long_as_their_metrics_reach() -> None:
    assert len(GENRES) == METRICS["genres"].ceiling == 15
    assert METRICS["countries"].ceiling in (None, len(COUNTRIES))


@pytest.mark.parametrize(
    ("key", "context", "value", "evidence", "words"),
    [
        ("label-loyalist-silver", "label:7", 37, {"label": "Warp Records", "owned": 90, "total": 243}, "32 more Warp"),
        ("label-loyalist-silver", "label:7", 37, {"label": None, "owned": 90, "total": 243}, "releases of this label"),
        ("label-loyalist-silver", "", None, {}, "Catalogue size not known"),
        ("label-loyalist-silver", "", 0, {}, "Own 50 % of the releases of a label"),
        (
            "discography-deep-dive-bronze",
            "artist:7",
            0,
            {"artist": "Sun Ra", "owned": 1, "total": 8},
            "1 more work by Sun Ra",
        ),
        ("master-collector-bronze", "master:7", 1, {"master": "Kid A"}, "Add 2 more pressings of Kid A"),
        ("master-collector-bronze", "", 0, {}, "Own 3 different pressings of the same master release"),
        ("era-specialist-bronze", "", 24, {"decade": 1970}, "Add 1 more record from the 1970s"),
        ("first-pressing", "", 0, {}, "Add 1 more first pressing"),
        ("owner-i", "", 1, {}, "Reached, the award is still to come"),
    ],
)
def test_hint(key: str, context: str, value: int | None, evidence: dict[str, Any], words: str) -> None:
    assert words in hint(load_catalog().badges[key], context, value, evidence)
