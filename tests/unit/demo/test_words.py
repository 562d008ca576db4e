"""Numbers as sentences."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.snapshot import METRICS
from services.demo.words import counted, in_words, span, tier_name

ITEM = {"release_id": 123, "title": "Kind Of Blue"}


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        (
            {"metric": "genres", "value": 12, "target": 10, "earned_with": ITEM},
            "10 genres with «Kind Of Blue» (release 123)",
        ),
        ({"metric": "releases", "value": 1, "target": 1, "earned_with": {"release_id": 5}}, "1 release with release 5"),
        (
            {"metric": "countries", "value": 1, "target": 1, "earned_with": {"release_id": 5, "title": None}},
            "1 country with release 5",
        ),
        (
            {"metric": "largest_decade", "value": 31, "target": 25, "decade": 1970, "earned_with": ITEM},
            "25 of the 1970s with «Kind Of Blue» (release 123)",
        ),
        (
            {
                "metric": "oldest_age_years",
                "value": 61,
                "target": 60,
                "oldest": {"release_id": 7, "title": "Alone", "year": 1954},
                "earned_with": ITEM,
            },
            "61 years: «Alone», 1954 (release 7)",
        ),
        (
            {
                "metric": "pressings",
                "value": 3,
                "target": 3,
                "master": "Classics",
                "master_id": 9,
                "earned_with": ITEM,
            },
            "3 pressings of «Classics» with release 123",
        ),
        ({"metric": "reviews", "value": 1, "target": 1}, "1 review"),
        (
            {"metric": "wishlist", "value": 11, "target": 10, "earned_with": {"release_id": 8}},
            "10 wishes with release 8",
        ),
        ({"metric": "wishlist", "value": 1, "target": 1}, "1 wish"),
        ({"metric": "years_since_join", "value": 4, "target": 3}, "4 years since joining"),
        ({"metric": "years_since_join", "value": 1, "target": 1}, "1 year since joining"),
        ({"note": "given by hand"}, "note given by hand"),
    ],
)
def test_the_evidence_is_a_sentence(evidence: dict[str, Any], sentence: str) -> None:
    assert in_words(evidence) == sentence


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [1, 2])
def test_every_metric_has_words(metric: str, value: int) -> None:
    sentence = in_words({"metric": metric, "value": value, "target": 1})
    assert sentence.startswith(f"{value} ")
    assert "_" not in sentence


def test_a_long_title_is_cut_so_that_the_sentence_fits() -> None:
    item = {"release_id": 12345678, "title": "The Ballad Of A Very Long Title " * 4}
    for room in (50, 60, 90):
        sentence = in_words({"metric": "genres", "value": 5, "target": 5, "earned_with": item}, room)
        assert room - 2 <= len(sentence) <= room
        assert "…» (release 12345678)" in sentence


@pytest.mark.parametrize(("number", "text"), [(0, "0 events"), (1, "1 event"), (1200, "1,200 events")])
def test_a_number_goes_with_its_noun(number: int, text: str) -> None:
    assert counted(number, "events") == text


@pytest.mark.parametrize(("tier", "text"), [("gold", "Gold"), ("iii", "III"), (None, "")])
def test_tiers_are_written_as_people_do(tier: str | None, text: str) -> None:
    assert tier_name(tier) == text


@pytest.mark.parametrize(
    ("numbers", "text"), [([3, 0, 1, 2], "0–3"), ([4], "4"), ([0, 2], "0, 2"), ([], ""), ([6, 7], "6–7")]
)
def test_partitions_are_a_range_where_they_are_one(numbers: list[int], text: str) -> None:
    assert span(numbers) == text
