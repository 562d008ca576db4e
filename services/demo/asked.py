"""The third act, told: why not, what if, and what the campaign gave."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.demo import catalogue, data
from services.demo.third import SOLD, Third
from services.demo.words import counted, quoted, tier_name

LONGEST_TITLE = 40


def asked(third: Third) -> RenderableType:
    """What was asked, and what was answered."""
    return Group(*_why(third.why), Text(), *_what_if(third), Text(), *_campaign(third))


def _why(answer: dict[str, Any]) -> list[RenderableType]:
    mark = Text("✔ ", "green") if answer["criterion"]["truth"] else Text("✖ ", "red")
    gaps = [gap["words"] for gap in answer["gaps"]]
    return [
        Text.assemble(("Why not", "bold"), f" {answer['name']}, {data.COPIES_OF}? {answer['remaining']}"),
        Text.assemble("  ", mark, answer["criterion"]["words"], ("  ", ""), (answer["criterion"]["reason"], "dim")),
        Text("  " + "; ".join([answer["since"], *gaps]), "dim"),
    ]


def _what_if(third: Third) -> list[RenderableType]:
    titles = {one["id"]: one["title"].strip() for one in data.composed_releases()}
    sold = " and ".join(quoted(titles[release], LONGEST_TITLE) for release in SOLD)
    left = _table()
    for one in third.sold["loses"]:
        stands = ", the award stands" if one["award_stands"] else ""
        left.add_row(Text(f"  {one['name']}"), Text(one["reason"] + stands, "dim"))
    wanted = third.wanted
    return [
        Text.assemble(
            ("What if", "bold"),
            f" {catalogue.COLLECTOR} bought the {third.tried.missing} releases that are missing?"
            f" {counted(len(third.bought['gains']), 'badges')} more",
            f", {wanted['name']} among them: {wanted['reason']}" if wanted else "",
        ),
        Text.assemble(("What if", "bold"), f" {data.COMPOSED} sold {sold}? The numbers leave"),
        left,
    ]


def _campaign(third: Third) -> list[RenderableType]:
    table = _table()
    for one in third.given:
        name = f"{one['badge']['name']} {tier_name(one['badge']['tier'])}"
        table.add_row(Text(f"  {one['user_id']}"), Text(name), Text(one["awarded_at"][:10], "dim"))
    head = Text.assemble(
        ("Campaign", "bold"),
        f" for years of membership over {counted(third.campaigned.users, 'collectors')}:"
        f" {counted(third.campaigned.awards, 'badges')}, dated with the day, and nobody is notified",
    )
    return [head, table]


def _table() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
