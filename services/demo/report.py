"""What a run has to tell: who earned what and why, what is next, one answer as it came, and the reckoning."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from catalog.definition import CATEGORIES
from services.api.tokens import mint
from services.demo import data, words
from services.demo.course import COLLECTORS
from services.demo.http import LIST, Answer
from services.demo.origin import origins
from services.demo.outcome import Letter, as_dict
from services.demo.run import Result
from services.demo.screen import console

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
# Of the shown answer: what is left out of the middle, and the longest text.
LEFT_OUT: Final = frozenset({"rarest"})
LONGEST_TEXT: Final = 48


def summary(result: Result) -> dict[str, Any]:
    """The run as `gatefold demo --json` prints it."""
    return {
        "ok": result.held,
        "seconds": round(result.seconds, 1),
        **as_dict(result.findings.outcome),
        "collectors": {name: len(found) for name, found in result.findings.achievements.items()},
        "checks": [{"name": one.name, "held": one.held, "said": one.said} for one in result.checks],
        "logs": None if result.logs is None else str(result.logs),
    }


def show(result: Result) -> None:
    """Everything, on stdout."""
    out, found, known = console(sys.stdout), result.findings, origins()
    for name in COLLECTORS:
        out.print()
        out.print(awards_table(name, known[name], found.achievements[name], out.width))
        out.print(nearest_table(found.nearest[name]))
    out.print()
    out.print(Rule("one answer of the API, long parts cut", style="dim", align="left"))
    out.print(answer(found.shown, found.api))
    out.print()
    out.print(Rule("the dead letter", style="dim", align="left"))
    for letter in found.outcome.letters:
        out.print(dead_letter(letter))
    out.print()
    out.print(reckoning(result))


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
    for one in sorted(achievements, key=_order):
        family = f"{one['name']} {one['context']}"
        table.add_row(
            Text(one["name"] if family != last else ""),
            Text(words.tier_name(one["tier"]) or "●", TIER_STYLES.get(one["tier"], LADDER_STYLE)),
            Text(one["unlocked_at"][:10], "dim"),
            Text(words.in_words(one["evidence"], room)),
        )
        last = family
    return table


def _order(achievement: Mapping[str, Any]) -> tuple[int, str, str, int, str]:
    category = achievement["category"]
    at = CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES)
    target = achievement["evidence"].get("target") or 0
    return at, achievement["name"], achievement["context"], -target, achievement["unlocked_at"]


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


def _to_go(entry: Mapping[str, Any]) -> str:
    remaining = entry["remaining"]
    if remaining is None:
        return "out of reach" if not entry["reachable"] else "not known"
    where = entry["context"].replace(":", " ")
    return f"{remaining:,} to go" + (f" for {where}" if where else "")


def answer(shown: Answer, url: str) -> RenderableType:
    """A request and its answer: the lines that matter, the JSON in short lines."""
    lines = [
        Text.assemble(("$ ", "dim"), f'curl -i -H "Authorization: Bearer $TOKEN" {url}{shown.path}'),
        Text(f"HTTP/1.1 {shown.status} {shown.reason}", "green"),
    ]
    lines += [
        Text.assemble((f"{name}: ", "dim"), shown.headers[name])
        for name in ("content-type", "etag", "cache-control")
        if name in shown.headers
    ]
    return Group(*lines, Text(), Text(compact(trimmed(shown.body))))


def compact(value: Any, indent: int = 0, used: int = 0, width: int = 96) -> str:
    """JSON in which whatever fits on the rest of its line stands on one line; `used` are the columns before it."""
    flat = json.dumps(value, ensure_ascii=False)
    if max(indent, used) + len(flat) <= width or not value or not isinstance(value, dict | list):
        return flat
    pad, inner = " " * (indent + 2), []
    if isinstance(value, list):
        inner = [pad + compact(one, indent + 2, 0, width) for one in value]
        return "[\n" + ",\n".join(inner) + f"\n{' ' * indent}]"
    for key, one in value.items():
        head = f"{pad}{json.dumps(key, ensure_ascii=False)}: "
        inner.append(head + compact(one, indent + 2, len(head), width))
    return "{\n" + ",\n".join(inner) + f"\n{' ' * indent}}}"


def trimmed(value: Any) -> Any:
    """The same JSON, shorter: long texts cut, a whole achievement inside the statistics reduced to its id."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return value[: LONGEST_TEXT - 1] + "…"
    if isinstance(value, dict):
        return {
            key: {"id": one["id"], "…": "…"} if key in LEFT_OUT and one else trimmed(one) for key, one in value.items()
        }
    if isinstance(value, list):
        return [trimmed(one) for one in value]
    return value


def dead_letter(letter: Letter) -> Text:
    """Where the record lies and what is wrong with it."""
    return Text.assemble(
        (f"{letter.topic}[{letter.partition}] offset {letter.offset}", "bold"),
        f"  {letter.stage}: ",
        (letter.reason, "red"),
    )


def reckoning(result: Result) -> Panel:
    """Every invariant with its numbers, and the seconds."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    for check in result.checks:
        mark = Text("✔", "bold green") if check.held else Text("✖", "bold red")
        table.add_row(mark, Text(check.said, "" if check.held else "red"))
    good = "everything held" if result.held else "NOT everything held"
    title = Text(f" {good} · {result.seconds:.1f} s ", "bold green" if result.held else "bold red")
    return Panel(
        table, title=title, title_align="left", border_style="green" if result.held else "red", box=box.ROUNDED
    )


def ways_in(result: Result) -> dict[str, Any]:
    """Addresses, a token and commands for what `--keep` leaves up."""
    endpoints = result.place.stack.endpoints()
    user = data.COPIES_OF
    return {
        "api": result.findings.api,
        "docs": f"{result.findings.api}/docs",
        "postgres": result.options.postgres_url,
        "kafka": endpoints.kafka_url,
        "topic_prefix": result.options.topic_prefix,
        "neo4j": endpoints.neo4j_url,
        "env": str(result.place.write_env(result.options)),
        "user": user,
        "token": mint(result.options, user),
    }


def show_ways_in(use: Mapping[str, Any]) -> None:
    """How to look around, on stdout; lines to copy are not wrapped."""
    out = console(sys.stdout)
    out.print()
    out.print(Rule("everything is still up, until Ctrl-C", style="cyan", align="left"))
    for name in ("api", "docs", "postgres", "kafka", "topic_prefix", "neo4j"):
        if use[name]:
            out.print(Text.assemble((f"{name.replace('_', ' '):<13}", "dim"), use[name]), soft_wrap=True)
    commands = (
        f"export TOKEN={use['token']}",
        f"curl -s -H \"Authorization: Bearer $TOKEN\" '{use['api']}{LIST}?limit=3'",
        f"curl -s -H \"Authorization: Bearer $TOKEN\" '{use['api']}{LIST}/progress?limit=5'",
        f'curl -s -H "Authorization: Bearer $TOKEN" {use["api"]}{LIST}/genre-tourist-gold',
        f"source {use['env']}",
        f"gatefold explain {use['user']} genre-tourist",
        "gatefold status",
    )
    out.print()
    for line in commands:
        out.print(Text.assemble(("$ ", "dim"), line), soft_wrap=True)
