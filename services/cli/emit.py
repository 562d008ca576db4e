"""`gatefold emit`: publish events from a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from rich.progress import Progress

    from services.kafka import Outgoing, Publisher

READ_BYTES = 1 << 20
CHUNK_LINES = 2000
# Between two of these the loop gets to write what is ready, so that checking and publishing overlap.
SLICE_LINES = 50
PUBLISH_SECONDS = 30.0
# With --rate: chunks so small that the pace is even.
CHUNKS_A_SECOND = 20


def emit(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON lines, one CloudEvent each; - reads stdin.")],
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="N", min=0.001, help="Events a second at most.")
    ] = None,
    no_validate: Annotated[
        bool, typer.Option("--no-validate", help="Publish the bytes to the topic of their type, right or wrong.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> None:
    """Publish JSON lines, one structured CloudEvent each, in the order of the file.

    A bad line is reported with its number and stops nothing else; exit code 1 if any was bad. Blank lines are skipped.

    Example: gatefold emit events.jsonl --rate 500
    """
    source: IO[bytes]
    try:
        source = sys.stdin.buffer if file == "-" else open(file, "rb")  # noqa: SIM115 - closed below, stdin is not ours
    except OSError as error:
        servers.fail(f"{file}: {error.strerror}", servers.WRONG_USAGE)
    emission = _Emission(file, no_validate, rate)
    try:
        servers.run(_emit(source, emission))
    finally:
        if file != "-":
            source.close()
        if emission.seconds:
            emission.print_summary(as_json)
    if emission.bad:
        raise typer.Exit(servers.FOUND)


@dataclass(slots=True)
class _Emission:
    """One run: what was asked for, and the counts so far."""

    name: str
    no_validate: bool
    rate: float | None
    bad: int = 0
    published: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def report_bad(self, number: int, reason: str, progress: Progress) -> None:
        """Name a bad line on stderr, above the progress bar."""
        self.bad += 1
        text = f"{'stdin' if self.name == '-' else self.name}:{number}: {reason}"
        if sys.stderr.isatty():
            progress.console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(text.encode("utf-8", "replace").decode() + "\n")

    def print_summary(self, as_json: bool) -> None:
        """The last line: what was published where, and what was bad."""
        total = sum(self.published.values())
        topics = dict(sorted(self.published.items()))
        if as_json:
            typer.echo(
                json.dumps({"published": total, "bad": self.bad, "topics": topics, "seconds": round(self.seconds, 3)})
            )
            return
        each = ", ".join(f"{topic} {count:,}" for topic, count in topics.items())
        typer.echo(f"published {total:,}{f' ({each})' if each else ''}, bad {self.bad:,}, {self.seconds:.1f} s")


async def _emit(source: IO[bytes], emission: _Emission) -> None:
    import asyncio
    import os
    import stat
    import time

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    options = servers.load_settings()
    facts = os.fstat(source.fileno())
    total = facts.st_size if stat.S_ISREG(facts.st_mode) else None
    chunk_lines = CHUNK_LINES
    if emission.rate is not None:
        chunk_lines = max(1, min(CHUNK_LINES, int(emission.rate / CHUNKS_A_SECOND)))
    begin = time.monotonic()
    counted = TextColumn("{task.fields[lines]:,} lines")
    columns = (TextColumn("{task.description}"), BarColumn(), counted, TimeElapsedColumn())
    async with servers.publisher(options) as publisher:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("events", total=total, lines=0)
            under_way: asyncio.Task[None] | None = None
            lines = taken = 0
            try:
                async for chunk in _chunks(source, chunk_lines):
                    records = await _check(chunk, emission, progress)
                    if under_way is not None:
                        await under_way
                    if emission.rate is not None:
                        await asyncio.sleep(begin + lines / emission.rate - time.monotonic())
                    under_way = asyncio.create_task(_publish(publisher, records, emission, progress))
                    lines += len(chunk)
                    taken += sum(len(line) + 1 for _, line in chunk)
                    progress.update(bar, completed=taken if total is None else min(total, taken), lines=lines)
                if under_way is not None:
                    await under_way
            finally:
                if under_way is not None and not under_way.done():
                    under_way.cancel()
                emission.seconds = time.monotonic() - begin


async def _chunks(source: IO[bytes], most: int) -> AsyncIterator[list[tuple[int, bytes]]]:
    """Numbered lines, as they come: from a slow pipe few at a time."""
    import asyncio

    number, rest = 0, bytearray()
    read: Any = getattr(source, "read1", source.read)
    while True:
        block: bytes = await asyncio.to_thread(read, READ_BYTES)
        if block and b"\n" not in block:
            rest += block
            continue
        lines = (bytes(rest) + block).split(b"\n")
        rest = bytearray(lines.pop())
        if not block and rest:
            lines = [bytes(rest)]
        for start in range(0, len(lines), most):
            yield [
                (number + place, line.removesuffix(b"\r")) for place, line in enumerate(lines[start : start + most], 1)
            ]
            number += len(lines[start : start + most])
        if not block:
            return


async def _check(
    chunk: Iterable[tuple[int, bytes]], emission: _Emission, progress: Progress
) -> list[tuple[int, Outgoing]]:
    """The records of a chunk's good lines; bad ones are reported."""
    import asyncio
    import time

    from services.cli.lines import BadLine, unvalidated, validated

    topic = servers.load_settings().topic
    now_ms = int(time.time() * 1000)
    records: list[tuple[int, Outgoing]] = []
    for place, (number, line) in enumerate(chunk, 1):
        if line.strip():
            try:
                record = unvalidated(line, topic) if emission.no_validate else validated(line, topic, now_ms)
                records.append((number, record))
            except BadLine as bad:
                emission.report_bad(number, str(bad), progress)
        if place % SLICE_LINES == 0:
            await asyncio.sleep(0)
    return records


async def _publish(
    publisher: Publisher, records: list[tuple[int, Outgoing]], emission: _Emission, progress: Progress
) -> None:
    """Publish a chunk; what Kafka refuses is a bad line.

    Raises:  servers.Unreachable; kafka.MissingTopic; KafkaError.
    """
    import asyncio

    options = servers.load_settings()
    try:
        report = await asyncio.wait_for(publisher.publish([record for _, record in records]), PUBLISH_SECONDS)
    except TimeoutError:
        reason = f"no acknowledgement within {PUBLISH_SECONDS:g} s"
        raise servers.Unreachable("Kafka", options.bootstrap, "GATEFOLD_KAFKA_URL", reason) from None
    prefix = len(options.topic_prefix)
    emission.published.update(records[place][1].topic[prefix:] for place in report.sent)
    for place, reason in sorted(report.refused):
        emission.report_bad(records[place][0], reason, progress)
    if report.error is not None:
        raise report.error
