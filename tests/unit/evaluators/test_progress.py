"""Progress: the next tier of each family, nearest first, what is out of reach last."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from catalog.definition import All, Manual, Threshold
from catalog.index import Catalog, load_catalog
from catalog.ladders import coverage_ladder, single_badge
from contracts.snapshot import FrozenSnapshot, Occasion
from evaluators.progress import NEAREST_CONTEXTS, Progress, progress

OCCASION = Occasion("", datetime(2024, 6, 15, tzinfo=UTC), date(2024, 6, 15))


def entries(snapshot: FrozenSnapshot, *awarded: str, limit: int | None = None) -> list[Progress]:
    return progress(load_catalog(), snapshot, OCCASION, {(key, "") for key in awarded}, limit)


def entry(snapshot: FrozenSnapshot, family: str, *awarded: str) -> Progress:
    (found,) = [entry for entry in entries(snapshot, *awarded) if entry.badge.family == family]
    return found


def test_a_newcomer_sees_the_first_tier_of_every_family() -> None:
    found = entries(FrozenSnapshot("ada"))
    assert {e.badge.family for e in found} == set(load_catalog().families)
    assert all(e.badge.tier_index == 0 and e.reachable and e.remaining == e.target for e in found)
    assert {e.badge.family for e in found if e.current is None} == {"vinyl-archaeologist", "anniversary"}


def test_an_entry_says_what_is_missing() -> None:
    found = entry(FrozenSnapshot("ada", counts={"styles": 12}), "style-explorer", "style-explorer-bronze")
    assert (found.id, found.name, found.next_tier) == ("style-explorer-silver", "Style Explorer", "silver")
    assert (found.current, found.target, found.remaining) == (12, 25, 13)
    assert (found.reachable, found.ceiling, found.reason) == (True, None, "12 of 25 styles")
    assert found.evidence == {"metric": "styles", "value": 12, "target": 25}


def test_a_tier_reached_but_not_yet_awarded_comes_first_with_nothing_remaining() -> None:
    snapshot = FrozenSnapshot("ada", counts={"styles": 24, "labels": 11})
    first, *_ = entries(snapshot, "style-explorer-bronze")
    assert (first.id, first.current, first.remaining) == ("label-hopper-bronze", 11, 0)


def test_the_next_tier_is_the_lowest_not_awarded() -> None:
    assert (
        entry(FrozenSnapshot("ada", counts={"styles": 3}), "style-explorer", "style-explorer-silver").next_tier
        == "bronze"
    )


def test_progress_may_go_down_while_the_award_stands() -> None:
    found = entry(FrozenSnapshot("ada", counts={"styles": 4}), "style-explorer", "style-explorer-bronze")
    assert (found.next_tier, found.current, found.remaining) == ("silver", 4, 21)


def test_a_finished_family_has_no_entry() -> None:
    all_tiers = [badge.key for badge in load_catalog().families["owner"]]
    assert "owner" not in {e.badge.family for e in entries(FrozenSnapshot("ada"), *all_tiers)}


def test_nearest_first_by_share_then_number_then_key() -> None:
    snapshot = FrozenSnapshot(
        "ada", counts={"styles": 9, "labels": 9, "countries": 4, "formats": 4, "mono_releases": 5}
    )
    assert [(e.id, e.remaining) for e in entries(snapshot, limit=5)] == [
        ("label-hopper-bronze", 1),
        ("style-explorer-bronze", 1),
        ("format-completionist", 1),
        ("world-collector-bronze", 1),
        ("mono-enthusiast", 5),
    ]
    smaller = FrozenSnapshot("ada", counts={"genres": 4, "largest_decade": 20})
    assert [e.id for e in entries(smaller, limit=2)] == ["genre-tourist-bronze", "era-specialist-bronze"]


def test_a_tier_above_the_ceiling_is_out_of_reach_and_last() -> None:
    snapshot = FrozenSnapshot("ada", counts={"genres": 15})
    last = entries(snapshot, "genre-tourist-bronze", "genre-tourist-silver")[-1]
    assert (last.id, last.reachable, last.ceiling, last.remaining) == ("genre-tourist-gold", False, 15, 5)
    assert last.reason == "15 of 20 genres; out of reach, there are only 15"
    assert entry(snapshot, "genre-tourist", "genre-tourist-bronze").reachable


def test_years_are_measured_at_the_date_asked() -> None:
    snapshot = FrozenSnapshot("ada", joined_on=date(2022, 6, 16), oldest_year=1999)
    assert (entry(snapshot, "anniversary").current, entry(snapshot, "anniversary").remaining) == (1, 0)
    tenure = entry(snapshot, "anniversary", "anniversary-i")
    assert (tenure.current, tenure.target, tenure.reason) == (1, 2, "joined on 2022-06-16: 1 of 2 years")
    assert (entry(snapshot, "vinyl-archaeologist").current, entry(snapshot, "vinyl-archaeologist").remaining) == (25, 0)


@pytest.mark.parametrize("limit", [0, 1, 5, 100])
def test_the_limit_cuts_the_far_end(limit: int) -> None:
    snapshot = FrozenSnapshot("ada", counts={"styles": 9, "genres": 3})
    assert entries(snapshot, limit=limit) == entries(snapshot)[:limit]


# Families with contexts


def collector_of_masters(counts: dict[int, int]) -> FrozenSnapshot:
    return FrozenSnapshot(
        "ada",
        contextual={"pressings": {f"master:{master}": count for master, count in counts.items()}},
        evidence={("pressings", f"master:{master}"): {"master_id": master} for master in counts},
    )


def masters(snapshot: FrozenSnapshot, *awarded: tuple[str, str]) -> list[tuple[str, str, int]]:
    found = progress(load_catalog(), snapshot, OCCASION, set(awarded))
    return [(e.context, e.next_tier or "", e.remaining) for e in found if e.badge.family == "master-collector"]


def test_the_nearest_five_contexts_each_with_its_own_next_tier() -> None:
    snapshot = collector_of_masters({1: 1, 2: 2, 3: 4, 4: 9, 5: 2, 6: 1, 7: 24})
    awarded = [("master-collector-bronze", f"master:{m}") for m in (3, 4, 7)]
    awarded += [("master-collector-silver", f"master:{m}") for m in (4, 7)]
    awarded += [("master-collector-gold", "master:7")]
    assert masters(snapshot, *awarded) == [
        ("master:7", "platinum", 1),
        ("master:4", "gold", 1),
        ("master:3", "silver", 1),
        ("master:2", "bronze", 1),
        ("master:5", "bronze", 1),
    ]


def test_the_award_of_one_context_does_not_count_for_another() -> None:
    snapshot = collector_of_masters({1: 3, 2: 3})
    assert masters(snapshot, ("master-collector-bronze", "master:1")) == [
        ("master:2", "bronze", 0),
        ("master:1", "silver", 2),
    ]


def test_a_context_carries_its_evidence() -> None:
    found = progress(load_catalog(), collector_of_masters({7: 2}), OCCASION, set())
    (master,) = [e for e in found if e.context]
    assert master.evidence == {"metric": "pressings", "value": 2, "target": 3, "master_id": 7}


def test_the_ranking_of_many_contexts_is_that_of_their_verdicts() -> None:
    snapshot = collector_of_masters({master: 1 + master * 7 % 3 for master in range(1, 200)})
    assert len(masters(snapshot)) == NEAREST_CONTEXTS
    assert [remaining for *_, remaining in masters(snapshot)] == [0] * NEAREST_CONTEXTS


def test_a_finished_context_is_left_out() -> None:
    awarded = [(badge.key, "master:1") for badge in load_catalog().families["master-collector"]]
    assert masters(collector_of_masters({1: 25}), *awarded) == []


def test_coverage_of_labels_ranks_by_percentage() -> None:
    catalog = Catalog(
        coverage_ladder(
            "label-fan",
            "Label Fan",
            category="completionist",
            of="label",
            percents=(25, 50),
            triggers=("ownership.added",),
            description="Own {n} % of a label",
        )
    )
    totals = {"label:1": (1, 10), "label:2": (2, 10), "label:3": (1, None)}
    snapshot = FrozenSnapshot(
        "ada",
        contextual={"label_coverage": {label: owned for label, (owned, _) in totals.items()}},
        evidence={("label_coverage", label): {"owned": o, "total": t} for label, (o, t) in totals.items()},
    )
    found = progress(catalog, snapshot, OCCASION, set())
    assert [(e.context, e.current, e.remaining) for e in found] == [
        ("label:2", 20, 5),
        ("label:1", 10, 15),
    ]
    owner = FrozenSnapshot("cem", counts={"releases": 7})
    (unknown,) = progress(catalog, owner, OCCASION, set())
    assert (unknown.context, unknown.current, unknown.reason) == ("", None, "catalogue size not known")
    (newcomer,) = progress(catalog, FrozenSnapshot("bob"), OCCASION, set())
    assert (newcomer.context, newcomer.current, newcomer.reason) == ("", 0, "0 % of 25 %")


def test_what_cannot_be_measured_or_must_not_be_seen_has_no_entry() -> None:
    (shown,) = single_badge(
        "shown",
        "Shown",
        category="special",
        criterion=Threshold(metric="genres", at_least=3),
        description="For tests",
        triggers=("ownership.added",),
    )
    changes: dict[str, dict[str, Any]] = {
        "secret": {"secret": True},
        "hidden": {"hidden_until_earned": True},
        "retired": {"retired": True},
        "by-hand": {"criterion": Manual()},
        "compound": {"criterion": All(criteria=(shown.criterion,))},
    }
    others = [shown.model_copy(update={"key": key, "family": key, **change}) for key, change in changes.items()]
    found = progress(Catalog([shown, *others]), FrozenSnapshot("ada"), OCCASION, ())
    assert [e.id for e in found] == ["shown"]
