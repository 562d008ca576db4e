"""`gatefold topics`: declare the topics that are missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.topics import Plan


def topics(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The plan as JSON on stdout.")] = False,
) -> None:
    """Declare the topics that are missing; existing ones are never changed, differing settings are reported.

    Exit code 1: the input topics' partition counts do not fit together, nothing was done.

    Example: GATEFOLD_TOPIC_PARTITIONS=16 gatefold topics --dry-run
    """
    plan = servers.run(declare(dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps(_as_dict(plan, dry_run), ensure_ascii=False))
    else:
        _print(plan, dry_run)
    if plan.refusal:
        raise typer.Exit(servers.FOUND)


async def declare(*, dry_run: bool) -> Plan:
    """Create the missing topics, or only plan to; nothing is created where the plan has a refusal.

    Raises:  servers.Unreachable; KafkaError where the broker refuses a topic.
    """
    from services.topics import plan

    options = servers.load_settings()
    async with servers.topic_admin(options) as admin:
        todo = plan(options, await admin.existing())
        if not dry_run and not todo.refusal:
            await admin.create(todo)
    return todo


def _as_dict(plan: Plan, dry_run: bool) -> dict[str, Any]:
    from services.topics import wanted_config

    return {
        "dry_run": dry_run,
        "refusal": plan.refusal,
        "create": [
            {
                "topic": name,
                "partitions": plan.partitions,
                "replication": plan.replication,
                "config": wanted_config(topic),
            }
            for name, topic in plan.create.items()
        ],
        "present": [{"topic": name, "partitions": count} for name, count in plan.present.items()],
        "differences": [
            {"topic": one.topic, "setting": one.setting, "wanted": one.wanted, "found": one.found}
            for one in plan.differences
        ],
    }


def _print(plan: Plan, dry_run: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    done = "would create" if dry_run or plan.refusal else "created"
    different = {one.topic for one in plan.differences}
    table = Table("topic", "", "partitions", "retention")
    for name, topic in plan.create.items():
        table.add_row(name, f"[green]{done}", str(plan.partitions), f"{topic.retention_days} days")
    for name, count in plan.present.items():
        table.add_row(name, "[yellow]differs" if name in different else "there", str(count), "")
    Console().print(table)
    for one in plan.differences:
        servers.say(f"{one.topic}: {one.setting} is {one.found}, we would set {one.wanted}", style="yellow")
    if plan.refusal:
        servers.say(plan.refusal)
