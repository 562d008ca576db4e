"""What the third act counts, beside the calendar and the collectors' lists."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.demo.outcome import Told
from services.demo.third import campaigned, due, joins, told

TODAY = date(2026, 11, 21)


def test_the_calendar_says_which_years_are_full() -> None:
    found = due(TODAY)
    assert found["collector-03", "anniversary-v"] == date(2024, 12, 3)
    assert found["collector-05", "anniversary-iv"] == date(2026, 11, 11)
    assert {user: sum(name == user for name, _ in found) for user in joins()} == {
        "collector-03": 5,
        "collector-05": 4,
        "composed-01": 4,
    }
    assert ("collector-05", "anniversary-iv") not in due(date(2026, 11, 10))


def test_a_campaign_is_held_against_the_calendar() -> None:
    full = due(TODAY)
    lists: dict[str, list[dict[str, Any]]] = {user: [{"id": "deep-cut"}] for user in joins()}
    for user, key in full:
        lists[user].append({"id": key})
    award = {
        "user_id": "collector-05",
        "badge": {"key": "anniversary-iv"},
        "awarded_at": "2026-11-11T00:00:00Z",
        "notify": False,
    }
    good = campaigned({"state": "done", "done": 4, "awards": 1}, [award], lists, full)
    assert (good.published, good.to_the_day, good.notified, good.due, good.amiss) == (1, 1, 0, 13, 0)
    wrong = award | {"awarded_at": "2026-11-21T00:00:00Z", "notify": True}
    lists["collector-05"].pop()
    lists["composed-01"].append({"id": "anniversary-v"})
    bad = campaigned({"state": "done", "done": 4, "awards": 1}, [wrong], lists, full)
    assert (bad.to_the_day, bad.notified, bad.amiss) == (0, 1, 2)


def achievement(key: str, holders: int | None, rank: int | None, text: str | None = "held by some") -> dict[str, Any]:
    return {"id": key, "rarity": {"holders": holders, "rank": rank, "text": text}}


def test_rarity_is_held_against_the_lists() -> None:
    good = {"ann": [achievement("a", 2, 1), achievement("b", 1, None)], "bob": [achievement("a", 2, 2)]}
    assert told(good) == Told(badges=2, wrong=0, percentages=0, ranks=2, twice=0)
    bad = {
        "ann": [achievement("a", 1, 1), achievement("b", 1, None, "held by 1 collector, 50 % of all")],
        "bob": [achievement("a", 2, 1, None)],
    }
    assert told(bad) == Told(badges=2, wrong=1, percentages=2, ranks=2, twice=1)
