"""What a run has to tell: who earned what and why, what is next, one answer as it came, and the reckoning."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from services.api.tokens import mint
from services.demo import data
from services.demo.asked import asked
from services.demo.course import COLLECTORS
from services.demo.earned import awards_table, nearest_table, rarest_line
from services.demo.http import LIST, Answer
from services.demo.origin import origins
from services.demo.outcome import Letter, as_dict
from services.demo.run import Result
from services.demo.screen import console
from services.demo.second import Second

# Of the shown answer: what is left out of the middle, and the longest text.
LEFT_OUT: Final = frozenset({"rarest"})
LONGEST_TEXT: Final = 48


def summary(result: Result) -> dict[str, Any]:
    """The run as `gatefold demo --json` prints it."""
    found, third = result.findings.second, result.findings.third
    return {
        "ok": result.held,
        "seconds": round(result.seconds, 1),
        **as_dict(result.findings.outcome),
        "second_act": {"remaining": found.missing["remaining"], "path": found.path, "circle": found.circle},
        "third_act": {
            "why": third.why["remaining"],
            "gains": len(third.bought["gains"]),
            "loses": [one["id"] for one in third.sold["loses"]],
            "campaign": [[one["user_id"], one["badge"]["key"], one["awarded_at"]] for one in third.given],
            "ranks": third.told.ranks,
        },
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
        out.print(rarest_line(found.third.rarest[name]))
    out.print()
    out.print(Rule("what is missing, and how the artists hang together", style="dim", align="left"))
    out.print(gap(found.second))
    out.print()
    out.print(Rule("why, what if, and a campaign", style="dim", align="left"))
    out.print(asked(found.third))
    out.print()
    out.print(Rule("one answer of the API, long parts cut", style="dim", align="left"))
    out.print(answer(found.shown, found.api))
    out.print()
    out.print(Rule("the dead letter", style="dim", align="left"))
    for letter in found.outcome.letters:
        out.print(dead_letter(letter))
    out.print()
    out.print(reckoning(result))


def gap(second: Second) -> RenderableType:
    """What the collector of one label lacks for the highest tier, and the longest path between two artists."""
    lack = second.missing
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for one in lack["missing"]:
        table.add_row(
            Text(str(one["year"] or "?"), "dim"), Text(one["title"] or "?"), Text(f"{one['release_id']}", "dim")
        )
    rest = lack["total"] - lack["owned"] - len(lack["missing"])
    lines: list[RenderableType] = [
        Text.assemble(
            ("Label Loyalist Platinum", "bold"),
            f": {lack['owned']} of {lack['total']} releases as of {lack['as_of']}. {lack['remaining']}, such as",
        ),
        table,
    ]
    if rest:
        lines.append(
            Text(f"and {rest:,} more, the oldest first: gatefold missing {COLLECTORS[-1]} {lack['id']}", "dim")
        )
    if second.path:
        lines.append(Text())
        lines.append(
            Text.assemble(("Six Degrees", "bold"), f", {len(second.path) - 1} hops: ", " – ".join(second.path))
        )
    if second.circle:
        lines.append(Text.assemble(("Scene Builder", "bold"), ", best connected: ", ", ".join(second.circle)))
    return Group(*lines)


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


def page(result: Result) -> str:
    """The address of the collector's page."""
    return f"{result.findings.api}/me"


def show_page(result: Result) -> None:
    """Where the collector's page was, and how to keep it, on stdout."""
    out = console(sys.stdout)
    out.print()
    out.print(Text.assemble(("page         ", "dim"), page(result)), soft_wrap=True)
    out.print(Text("             it went with the run: `make demo ARGS=--keep` leaves it open", "dim"), soft_wrap=True)


def ways_in(result: Result) -> dict[str, Any]:
    """Addresses, a token and commands for what `--keep` leaves up."""
    endpoints = result.place.stack.endpoints()
    user = data.COPIES_OF
    return {
        "api": result.findings.api,
        "page": page(result),
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
    signed_in = f"   sign in as {use['user']} with this token:"
    out.print(Text.assemble(("page         ", "dim"), (use["page"], "bold"), signed_in), soft_wrap=True)
    out.print(Text(use["token"]), soft_wrap=True)
    out.print()
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
