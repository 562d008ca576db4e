"""Evidence in words: every metric there is, in every language, and what is stored of awards by hand."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.index import load_catalog
from services.pages import evidence, words
from services.pages.texts import LANGUAGES, texts_of
from services.why.gaps import READS

EN, DE = texts_of("en"), texts_of("de")
METRICS = sorted({metric for badge in load_catalog().badges.values() if (metric := words.metric_of(badge))})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_sentence_and_a_name(metric: str, language: str) -> None:
    t = texts_of(language)
    found: dict[str, Any] = {"metric": metric, "value": 12, "target": 10}
    if metric.endswith("_coverage"):
        kind = metric.removesuffix("_coverage")
        found |= {f"{kind}_id": 5, kind: "Warp", "owned": 3, "total": 25, "percentage": 12.0}
    (sentence,) = evidence.sentences(t, found)
    assert "12" in sentence
    assert "?" not in sentence.replace("aus den ?ern", "").replace("from the ?s", "")
    if metric != "years_since_join":  # the calendar moves it, no record does
        assert t(f"metric.{metric}", name="x")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"metric": "genres", "value": 11, "target": 10, "earned_with": {"release_id": 7, "title": "<b>{n}</b>"}},
            ["You had 11 genres; 10 were needed.", "The record that did it: <b>{n}</b>."],
        ),
        (
            {"metric": "releases", "value": 1, "target": 1, "earned_with": {"release_id": 7, "title": None}},
            ["You had one release; one was needed.", "The record that did it: Release 7."],
        ),
        (
            {"metric": "label_coverage", "value": 75, "target": 75, "label_id": 5, "label": None, "owned": 1875,
             "total": 2500, "percentage": 75.0, "as_of": "2026-11-01"},
            ["You had 1,875 of the 2,500 releases by Label 5: 75 %, and 75 % were needed.",
             "Counted by the catalogue of 1 November 2026."],
        ),
        (
            {"metric": "largest_decade", "value": 26, "target": 25, "decade": 1970},
            ["You had 26 records from the 1970s; 25 were needed."],
        ),
        (
            {"metric": "oldest_age_years", "value": 60, "target": 50, "earned_with": {"release_id": 9, "title": "New"},
             "oldest": {"release_id": 4, "title": "Sahara", "year": 1966}},
            ["You had a pressing 60 years old; 50 were needed.", "The oldest: Sahara, pressed in 1966."],
        ),
        (
            {"metric": "first_pressings", "value": 1, "target": 1,
             "first_pressing": {"release_id": 4, "title": "Sahara", "date": "1966-05", "versions": 3}},
            ["You had a first pressing; one was needed.", "Sahara, 1966-05: the earliest of 3 dated versions."],
        ),
        (
            {"metric": "first_pressings", "value": 1, "target": 1,
             "first_pressing": {"release_id": 4, "title": "Sahara", "date": None, "versions": None}},
            ["You had a first pressing; one was needed.", "Sahara, ?: no other version has a date."],
        ),
        (
            {"metric": "hops", "value": 4, "target": 3, "exact": False, "as_of": "2026-11-01"},
            ["The longest way between two of your artists is 4 steps.", "There may be an even longer one.",
             "Counted by the catalogue of 1 November 2026."],
        ),
        (
            {"metric": "cluster_artists", "value": 9, "target": 5, "artists": [{"artist_id": 1, "name": "Ann"},
             *({"artist_id": at, "name": None} for at in range(2, 9))]},
            ["You had a circle of 9 artists; 5 were needed.", "Best connected: Ann, #2, #3, #4, #5."],
        ),
        ({}, []),
        ({"reason": "a contest"}, []),
        ({"metric": "genres", "value": None, "target": 5}, []),
        ({"metric": "of another release of ours", "value": 3, "target": 5}, []),
    ],
)  # fmt: skip
def test_sentences(found: dict[str, Any], said: list[str]) -> None:
    assert [one.replace("\N{NO-BREAK SPACE}", " ") for one in evidence.sentences(EN, found)] == said
    assert len(evidence.sentences(DE, found)) == len(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_gap_has_a_sentence(language: str) -> None:
    for field in {field for fields in READS.values() for field in fields}:
        for number in (1, 41):
            assert "316" in texts_of(language)(f"gap.{field}", n=number, total=316)


def test_a_chain() -> None:
    chain = [{"artist_id": 1, "name": "Ann"}, {"artist_id": 2, "name": None}]
    assert evidence.path({"path": chain}) == ["Ann", "#2"]
    assert evidence.path({}) == []
