"""From stored awards to answers, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from catalog.definition import BadgeDefinition, Manual, Threshold
from catalog.index import Catalog, load_catalog
from services.api.models.achievements import AchievementDetail, AchievementList, ProgressList, Summary
from services.api.rarity import rarity
from services.api.view import View, cursor_of, icon_path, place_of, target_of
from services.state.collector import Collector
from services.state.facets import MASTER
from services.stores import achievements as stored
from services.stores.achievements import Award, Counted, Held
from services.stores.standings import Standing

VIEW = View(load_catalog())
AT = 1_714_557_600_000_000  # 2024-05-01T10:00:00Z


def award(key: str, context: str = "", at: int = AT, score: int = 0) -> Award:
    return Award(key, context, at, "auto", msgspec.Raw(b'{"value":1}'), score)


def plain(body: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body))


def test_list_shows_the_award_and_what_the_catalog_says() -> None:
    held = Held("genre-tourist-gold", 1, 3, 2, 3)
    page = stored.Page([award("genre-tourist-gold")], False, [held], award("genre-tourist-gold"), Counted(9, 8))
    body = plain(VIEW.page(page))
    AchievementList.model_validate(body)
    badge = VIEW.catalog.badges["genre-tourist-gold"]
    expected = {
        "id": "genre-tourist-gold",
        "category": "breadth",
        "name": badge.name,
        "tier": "gold",
        "description": badge.description,
        "unlocked_at": "2024-05-01T10:00:00Z",
        "evidence": {"value": 1},
        "context": "",
        "rarity": {
            "holders": 3,
            "share": 0.333333,
            "active_holders": 2,
            "share_active": 0.25,
            "rank": 3,
            "text": "held by 3 collectors, 3rd to earn it",
        },
        "hidden_until_earned": False,
        "icon": icon_path(badge),
        "source": "auto",
    }
    assert body == {
        "achievements": [expected],
        "stats": {"total_earned": 1, "by_category": {"breadth": 1}, "rarest": expected},
        "next_cursor": None,
    }


def test_statistics_count_awards_not_badges_and_know_what_was_retired() -> None:
    held = [Held("master-collector-bronze", 3, None), Held("deep-cut", 1, 2), Held("no-such-badge", 2, 1)]
    body = plain(VIEW.summary(stored.Summary(held, award("no-such-badge"), award("deep-cut"), None)))
    Summary.model_validate(body)
    assert body["total_earned"] == 6
    assert body["by_category"] == {"completionist": 3, "retired": 2, "special": 1}
    assert body["rarest"]["rarity"] == rarity(Counted(1, None), None)
    assert (body["rarest"]["id"], body["rarest"]["category"], body["rarest"]["icon"]) == (
        "no-such-badge",
        "retired",
        None,
    )
    assert body["most_recent"]["rarity"] == rarity(Counted(2, None), None)


def test_time_keeps_its_fraction_only_where_there_is_one() -> None:
    page = stored.Page([award("deep-cut", at=AT + 500)], False, [], None, None)
    assert plain(VIEW.page(page))["achievements"][0]["unlocked_at"] == "2024-05-01T10:00:00.000500Z"


def test_cursor_comes_back_as_the_place_it_was_made_of() -> None:
    place = place_of(cursor_of(award("master-collector-bronze", "master:7", AT, -5)))
    assert (place.score, place.at, place.badge_key, place.context) == (-5, AT, "master-collector-bronze", "master:7")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "W10",
        cursor_of(award("a"))[:-2],
        cursor_of(award("a", score=2**31)),
        cursor_of(award("a", at=2**62)),
        cursor_of(award("a\0")),
    ],
)
def test_cursor_that_we_did_not_give(cursor: str) -> None:
    with pytest.raises(ValueError, match="not a cursor that we gave"):
        place_of(cursor)


def detail(first: Award | None = None, since: dict[str, int] | None = None, **more: Any) -> stored.Detail:
    return stored.Detail(
        first, [] if first is None else [first], more.get("more", False), since or {}, None, None, None, {}
    )


def test_detail_of_a_badge_not_earned() -> None:
    body = plain(VIEW.detail("genre-tourist-silver", detail(since={"genre-tourist-bronze": AT})))
    AchievementDetail.model_validate(body)
    assert (body["earned"], body["unlocked_at"], body["evidence"], body["source"]) == (False, None, None, None)
    assert body["awards"] == []
    assert [(rung["tier"], rung["target"], rung["earned"]) for rung in body["ladder"]] == [
        ("bronze", 5, True),
        ("silver", 10, False),
        ("gold", 20, False),
        ("platinum", 30, False),
    ]
    assert body["ladder"][0]["unlocked_at"] == "2024-05-01T10:00:00Z"


def test_detail_of_a_badge_with_more_awards_than_the_page_holds() -> None:
    first = award("master-collector-bronze", "master:7", score=4)
    body = plain(VIEW.detail("master-collector-bronze", detail(first, {first.badge_key: AT}, more=True)))
    AchievementDetail.model_validate(body)
    assert body["earned"]
    assert body["awards"] == [
        {
            "context": "master:7",
            "unlocked_at": "2024-05-01T10:00:00Z",
            "source": "auto",
            "evidence": {"value": 1},
            "today": None,
        }
    ]
    assert place_of(body["next_cursor"]).context == "master:7"


def test_detail_of_what_nobody_knows() -> None:
    assert VIEW.detail("no-such-badge", detail()) is None
    kept = VIEW.detail("no-such-badge", detail(award("no-such-badge"), {"no-such-badge": AT}))
    assert kept is not None
    assert (kept["category"], kept["ladder"]) == ("retired", [])


def secretive() -> View:
    """A catalog of one family whose second tier is secret and whose third is retired."""
    base = load_catalog().badges["mono-enthusiast"]

    def tier(name: str, index: int, **more: Any) -> BadgeDefinition:
        rule = Threshold(metric="mono_releases", at_least=10 * (index + 1))
        key = f"{base.family}-{name}"
        return base.model_copy(
            update={
                "key": key,
                "tier": name,
                "tier_index": index,
                "criterion": rule,
                "icon": f"special-{name}",
                "sort_score": 100 + index,
                **more,
            }
        )

    tiers = [tier("bronze", 0), tier("silver", 1, secret=True), tier("gold", 2, retired=True)]
    return View(Catalog(tiers))


def test_secret_badge_does_not_exist_until_it_is_earned() -> None:
    view = secretive()
    bronze, silver, gold = view.catalog.badges
    assert view.detail(silver, detail()) is None
    shown = view.detail(bronze, detail())
    assert shown is not None
    assert [rung["id"] for rung in shown["ladder"]] == [bronze]
    earned = view.detail(silver, detail(award(silver), {silver: AT, gold: AT}))
    assert earned is not None
    assert [rung["id"] for rung in earned["ladder"]] == [bronze, silver, gold]


def test_badges_by_hand_have_no_target() -> None:
    assert target_of(Manual()) is None


NOW = datetime(2024, 5, 1, tzinfo=UTC)


def progress_of(collector: Collector, *awarded: tuple[str, str], limit: int = 100) -> list[dict[str, Any]]:
    body = plain(VIEW.progress(Standing(collector, frozenset(awarded)), NOW, limit))
    ProgressList.model_validate(body)
    entries: list[dict[str, Any]] = body["in_progress"]
    return entries


def test_progress_out_of_reach_comes_last_and_counts_nothing_down() -> None:
    collector = Collector("alice")
    collector.counters["genres"] = 12
    entries = progress_of(collector, ("genre-tourist-bronze", ""), ("genre-tourist-silver", ""))
    last = entries[-1]
    assert (last["id"], last["reachable"], last["ceiling"], last["remaining"]) == (
        "genre-tourist-gold",
        False,
        15,
        None,
    )
    assert (last["current"], last["target"]) == (12, 20)


def test_progress_of_what_is_not_known_counts_nothing_down() -> None:
    anniversary = next(entry for entry in progress_of(Collector("alice")) if entry["id"] == "anniversary-i")
    assert (anniversary["current"], anniversary["remaining"]) == (None, None)


def test_progress_names_the_master_where_its_title_is_known() -> None:
    collector = Collector("alice")
    collector.unbounded.update({(MASTER, 7): 2, (MASTER, 8): 2})
    collector.titles[7] = "Blue Train"
    evidence = {entry["context"]: entry["evidence"] for entry in progress_of(collector) if entry["context"]}
    assert evidence["master:7"] == {
        "metric": "pressings",
        "value": 2,
        "target": 3,
        "master": "Blue Train",
        "master_id": 7,
    }
    assert "master" not in evidence["master:8"]


def test_progress_of_an_unknown_user() -> None:
    assert VIEW.progress(None, NOW, 20) == {"in_progress": []}


def test_progress_limit() -> None:
    assert len(progress_of(Collector("alice"), limit=3)) == 3
