"""One collector: what was earned and why, and what is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from catalog.definition import CATEGORIES
from services.demo import words

TIER_STYLES: Final[Mapping[str | None, str]] = {
    "bronze": "dark_orange3",
    "silver": "grey74",
    "gold": "gold1",
    "platinum": "bright_cyan",
    None: "medium_purple2",
}
LADDER_STYLE: Final = "sky_blue2"
BAR_CELLS: Final = 20
TIER_WIDTH: Final = 8
DATE_WIDTH: Final = 10
EDGES: Final = 8
MOST_CONTEXTS: Final = 3


def awards_table(name: str, origin: str, achievements: Sequence[Mapping[str, Any]], width: int) -> Table:
    """One collector's awards, family by family, the highest tier first."""
    title = Text.assemble((name, "bold cyan"), f": {origin}, ", (words.counted(len(achievements), "badges"), "bold"))
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="")
    table.padding, table.pad_edge = (0, 1, 0, 0), False
    names = max((len(one["name"]) for one in achievements), default=0)
    room = max(30, width - names - TIER_WIDTH - DATE_WIDTH - EDGES)
    table.add_column("badge", no_wrap=True, width=names)
    table.add_column("tier", no_wrap=True, width=TIER_WIDTH)
    table.add_column("earned", no_wrap=True, width=DATE_WIDTH)
    table.add_column("why", overflow="fold", width=room)
    last = ""
    shown, rest = _shown(achievements)
    for one in shown:
        family = f"{one['name']} {one['context']}"
        table.add_row(
            Text(one["name"] if family != last else ""),
            Text(words.tier_name(one["tier"]) or "●", TIER_STYLES.get(one["tier"], LADDER_STYLE)),
            Text(one["unlocked_at"][:10], "dim"),
            Text(words.in_words(one["evidence"], room)),
        )
        last = family
    for family, more in rest.items():
        table.add_row("", "", "", Text(f"and {more:,} more of {family}", "dim"))
    return table


def _shown(achievements: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """The awards in order; of a badge that is earned for masters, labels or artists the first few, one for each, and
    how many more there are by name."""
    shown: list[Mapping[str, Any]] = []
    seen: dict[str, list[str]] = {}
    rest: dict[str, int] = {}
    for one in sorted(achievements, key=_order):
        name, context = one["name"], one["context"]
        contexts = seen.setdefault(name, [])
        if context and (context in contexts or len(contexts) >= MOST_CONTEXTS):
            rest[name] = rest.get(name, 0) + 1
            continue
        contexts.append(context)
        shown.append(one)
    return shown, rest


def _order(achievement: Mapping[str, Any]) -> tuple[int, str, int, str, int, str]:
    category = achievement["category"]
    at = CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES)
    target = achievement["evidence"].get("target") or 0
    first = -target if achievement["context"] else 0
    return at, achievement["name"], first, achievement["context"], -target, achievement["unlocked_at"]


def nearest_table(entries: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The next tiers that are nearest."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for at, one in enumerate(entries):
        current, target = one["current"] or 0, one["target"]
        filled = min(BAR_CELLS, BAR_CELLS * current // target)
        title = f"{one['name']} {words.tier_name(one['next_tier'])}".rstrip()
        table.add_row(
            Text("next" if at == 0 else "", "bold"),
            Text(title),
            Text.assemble(("━" * filled, "green"), ("╌" * (BAR_CELLS - filled), "bright_black")),
            Text(f"{current:,} of {target:,}"),
            Text(_to_go(one), "dim"),
        )
    return table


def rarest_line(one: Mapping[str, Any]) -> Text:
    """The rarest of the awards, and how rare it is."""
    title = f"{one['name']} {words.tier_name(one['tier'])}".rstrip()
    return Text.assemble(("rarest", "bold"), f"  {title}  ", (one["rarity"]["text"], "dim"))


def _to_go(entry: Mapping[str, Any]) -> str:
    remaining = entry["remaining"]
    if remaining is None:
        return "out of reach" if not entry["reachable"] else "not known"
    return str(entry["hint"])
