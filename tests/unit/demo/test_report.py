"""The report's tables and JSON at 100 columns."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from services.demo.earned import awards_table, nearest_table
from services.demo.origin import origins
from services.demo.report import compact, trimmed


def printed(renderable: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(renderable)
    return out.getvalue()


def achievement(name: str, tier: str | None, value: int, title: str) -> dict[str, Any]:
    evidence = {"metric": "labels", "value": value, "target": value, "earned_with": {"release_id": 9, "title": title}}
    return {
        "id": f"{name}-{tier}",
        "category": "breadth",
        "name": name,
        "tier": tier,
        "context": "",
        "unlocked_at": "2022-05-13T12:00:00Z",
        "evidence": evidence,
    }


def test_awards_are_a_line_each_and_the_highest_tier_comes_first() -> None:
    awards = [achievement("Label Hopper", tier, n, "[bold]" * 30) for tier, n in (("bronze", 10), ("gold", 100))]
    text = printed(awards_table("c", "somebody", awards, 100))
    lines = [line for line in text.splitlines() if "2022-05-13" in line]
    assert "c: somebody, 2 badges" in text
    assert [line.split()[:3] for line in lines] == [["Label", "Hopper", "Gold"], ["Bronze", "2022-05-13", "10"]]
    assert all("«[bold]" in line and line.rstrip().endswith("(release 9)") and len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("current", "remaining", "reachable", "says"),
    [(484, 16, True, "Add 16 more"), (None, None, True, "not known"), (13, None, False, "out of reach")],
)
def test_the_nearest_tier_says_how_far_it_is(
    current: int | None, remaining: int | None, reachable: bool, says: str
) -> None:
    entry = {
        "name": "Label Hopper",
        "next_tier": "platinum",
        "context": "",
        "current": current,
        "target": 500,
        "remaining": remaining,
        "reachable": reachable,
        "hint": f"Add {remaining} more",
    }
    text = printed(nearest_table([entry]))
    assert "Label Hopper Platinum" in text
    assert says in text


def test_compact_json_is_the_same_json_in_short_lines() -> None:
    value = {"a": [{"b": "x" * 30, "c": {"d": "y" * 40, "e": [1, 2, 3]}, "f": {}}], "g": {"h": 1}, "i": []}
    text = compact(value, width=60)
    assert json.loads(text) == value
    assert max(map(len, text.splitlines())) <= 60
    assert '"g": {"h": 1}' in text


def test_trimmed_json_says_where_it_was_cut() -> None:
    value = {"stats": {"rarest": {"id": "deep-cut", "name": "Deep Cut"}}, "next_cursor": "x" * 200, "rarest": None}
    assert trimmed(value) == {
        "stats": {"rarest": {"id": "deep-cut", "…": "…"}},
        "next_cursor": "x" * 47 + "…",
        "rarest": None,
    }


def test_each_collector_is_said_to_be_what_it_is() -> None:
    assert origins() == {
        "collector-05": "a real collection of 1,851 records (MIT)",
        "composed-01": "composed from 150 CC0 records, nobody's collection",
        "composed-02": "composed of the 703 (of 885) releases of R & S Records that are dated before 2001,"
        " nobody's collection",
        "collector-03": "a real collection, 22 exports of 27 to 68 records (MIT)",
    }
