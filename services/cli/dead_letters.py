"""`gatefold dead-letters`: records that could not be accepted: list them, look at one, send them again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from asyncpg import Record

    from services.stores.dead_letters import Letter, Position

app = typer.Typer(help="Records that could not be accepted: list, show, send again.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
REDRIVE_HEADER = "x-redrive-of"
REDRIVE_BATCH = 50


@app.command("list")
def list_letters(
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows of the table; --json prints all.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the newest dead letters as a table, or with --json all of them, one event.rejected data per line.

    Example: gatefold dead-letters list --json | jq -r .reason | sort | uniq -c
    """
    if as_json:
        from services.cli.export import print_lines
        from services.stores import dead_letters

        servers.run(print_lines("dead-letters", dead_letters.list_letters))
    else:
        _print_page(servers.run(_page(limit)), limit)


@app.command("show")
def show(
    topic: Annotated[str, typer.Argument(metavar="TOPIC")],
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0)],
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0)],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole: key, headers, value, and what was wrong.

    Example: gatefold dead-letters show ownership.added 3 1207
    """
    letter = servers.run(_load((topic, partition, offset)))
    if letter is None:
        servers.fail(f"there is no dead letter at {topic} {partition} {offset}")
    if as_json:
        typer.echo(json.dumps(_as_dict(letter), ensure_ascii=False))
    else:
        _print_letter(letter)


@app.command("redrive")
def redrive(
    topic: Annotated[str | None, typer.Argument(metavar="TOPIC", help="Only letters of this topic.")] = None,
    partition: Annotated[int | None, typer.Argument(metavar="PARTITION", min=0)] = None,
    offset: Annotated[int | None, typer.Argument(metavar="OFFSET", min=0)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which, send nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were sent again before.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; without a terminal nothing is asked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish dead letters again, byte for byte, with a header that says which; each once unless --again.

    A letter that is still wrong becomes a new dead letter under its new offset. The old one stays, marked.

    Example: gatefold dead-letters redrive ownership.added --dry-run
    """
    if partition is not None and offset is None:
        raise typer.BadParameter("a partition needs an offset", param_hint="OFFSET")
    due = servers.run(_due(topic, partition, offset, again))
    ask = sys.stdin.isatty() and not (dry_run or yes) and bool(due)
    if ask and not typer.confirm(f"publish {len(due)} records again?", err=True):
        raise typer.Exit(servers.FOUND)
    sent, faults = (0, []) if dry_run or not due else servers.run(_redrive(due))
    if as_json:
        places = [{"topic": one[0], "partition": one[1], "offset": one[2]} for one in due]
        typer.echo(json.dumps({"dry_run": dry_run, "letters": places, "published": sent, "faults": faults}))
    else:
        for one in due if dry_run else []:
            typer.echo(f"would publish {one[0]} {one[1]} {one[2]}")
        typer.echo(f"{len(due)} due" if dry_run else f"{sent} of {len(due)} published again")
    for fault in faults:
        servers.say(fault)
    if faults:
        raise typer.Exit(servers.FOUND)


async def _page(limit: int) -> list[Record]:
    from services.stores.dead_letters import page_of_letters

    async with servers.postgres(servers.load_settings(), "dead-letters") as connection:
        return await page_of_letters(connection, limit)


async def _load(position: Position) -> Letter | None:
    from services.stores.dead_letters import load_letter

    async with servers.postgres(servers.load_settings(), "dead-letters") as connection:
        return await load_letter(connection, position)


async def _due(topic: str | None, partition: int | None, offset: int | None, again: bool) -> list[Position]:
    from services.stores.dead_letters import letters_to_redrive

    async with servers.postgres(servers.load_settings(), "dead-letters") as connection:
        return await letters_to_redrive(connection, topic, partition, offset, again=again)


async def _redrive(due: list[Position]) -> tuple[int, list[str]]:
    """Publish and mark, a few at a time; how many went out, and what Kafka said of the others."""
    from services.kafka import Outgoing
    from services.stores.dead_letters import load_letter, mark_redriven

    options = servers.load_settings()
    sent, faults = 0, []
    async with servers.postgres(options, "dead-letters") as connection, servers.publisher(options) as publisher:
        for start in range(0, len(due), REDRIVE_BATCH):
            letters = [await load_letter(connection, position) for position in due[start : start + REDRIVE_BATCH]]
            there = [letter for letter in letters if letter is not None]
            report = await publisher.publish(
                [
                    Outgoing(
                        options.topic(letter.topic),
                        letter.key,
                        letter.value,
                        [*_without_redrive(letter), (REDRIVE_HEADER, _place(letter).encode())],
                    )
                    for letter in there
                ]
            )
            done = [there[number] for number in report.sent]
            await mark_redriven(connection, [(one.topic, one.partition, one.offset) for one in done])
            sent += len(done)
            faults += [f"{_place(there[number])}: {reason}" for number, reason in report.refused]
            if report.error is not None:
                raise report.error
    return sent, faults


def _without_redrive(letter: Letter) -> list[tuple[str, bytes | None]]:
    """The original headers: a letter that was sent again before names only the last place it lay."""
    return [(name, value) for name, value in letter.headers if name != REDRIVE_HEADER]


def _place(letter: Letter) -> str:
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


def _as_dict(letter: Letter) -> dict[str, Any]:
    import base64

    from contracts.envelope import rfc3339
    from services.stores.dead_letters import rejected_data

    data = rejected_data(
        letter.topic,
        letter.partition,
        letter.offset,
        letter.key,
        letter.value,
        letter.stage,
        letter.reason,
        letter.seen_at,
    )

    def as_base64(raw: bytes | None) -> str | None:
        return None if raw is None else base64.b64encode(raw).decode()

    return {
        **json.loads(data),
        "key_base64": as_base64(letter.key),
        "value_base64": as_base64(letter.value),
        "value_truncated": False,
        "headers": [{"name": name, "value_base64": as_base64(value)} for name, value in letter.headers],
        "recorded_at": rfc3339(letter.recorded_at),
        "redriven_at": None if letter.redriven_at is None else rfc3339(letter.redriven_at),
    }


def _readable(raw: bytes | None) -> str:
    if raw is None:
        return "null"
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return repr(raw)


def _print_letter(letter: Letter) -> None:
    from rich.console import Console

    from contracts.envelope import rfc3339

    console = Console()
    console.print(f"{_place(letter)}  ", end="", style="bold", highlight=False)
    console.print(f"{letter.stage}: {letter.reason}", style="red", markup=False, highlight=False, soft_wrap=True)
    again = "" if letter.redriven_at is None else f", published again {rfc3339(letter.redriven_at)}"
    console.print(f"recorded {rfc3339(letter.recorded_at)}, refused {rfc3339(letter.seen_at)}{again}", highlight=False)
    for name, value in [("key", letter.key), *letter.headers]:
        console.print(f"{name}: {_readable(value)}", markup=False, highlight=False, soft_wrap=True)
    console.print()
    try:
        console.print_json(_readable(letter.value))
    except (ValueError, RecursionError):
        console.print(_readable(letter.value), markup=False, highlight=False, soft_wrap=True)


def _print_page(rows: list[Record], limit: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    total = rows[0]["letters"] if rows else 0
    table = Table(title=f"{total:,} dead letters" + (f", the newest {limit}" if total > limit else ""))
    table.add_column("topic partition offset", no_wrap=True)
    table.add_column("key", overflow="fold")
    table.add_column("what is wrong", overflow="fold", ratio=1)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("seen", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{row['topic']} {row['partition']} {row['offset']}",
            escape(_readable(row["key"])[:80]),
            ("[green](sent again)[/green] " if row["redriven_at"] else "") + f"{row['stage']}: {escape(row['reason'])}",
            "null" if row["value_bytes"] is None else f"{row['value_bytes']:,}",
            f"{row['seen_at']:%m-%d %H:%M:%S}",
        )
    Console().print(table)
