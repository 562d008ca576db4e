"""What the run shows while it runs: finished steps as lines, and on a terminal bars below them; all on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from types import TracebackType
from typing import Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

WIDTH: Final = 100


def console(stream: TextIO) -> Console:
    """A console that is 100 columns wide at most on a terminal, and where there is none, unless COLUMNS says else."""
    if not stream.isatty():
        return Console(file=stream, width=int(os.environ.get("COLUMNS") or WIDTH), highlight=False)
    made = Console(file=stream, highlight=False)
    return Console(file=stream, width=min(WIDTH, made.width), highlight=False)


class Screen:
    """Steps and bars. `quiet` shows nothing but bars, and these only on a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        for stream in (sys.stdout, sys.stderr):
            # A terminal that knows no check marks gets question marks, not a traceback.
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        self._console = console(sys.stderr)
        self._live = self._console.is_terminal
        self._quiet = quiet
        self._begin = time.monotonic()
        self._bars: dict[str, TaskID] = {}
        self._doing: TaskID | None = None
        self._progress = Progress(
            TextColumn(" "),
            SpinnerColumn(finished_text="[green]✔"),
            TextColumn("{task.description}", justify="left"),
            BarColumn(bar_width=42),
            TextColumn("{task.fields[count]}", style="bold"),
            console=self._console,
            transient=True,
            disable=not self._live,
        )

    @property
    def seconds(self) -> float:
        """Since the screen was made."""
        return time.monotonic() - self._begin

    def __enter__(self) -> Screen:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def title(self, text: str) -> None:
        """The first line."""
        if not self._quiet:
            self._console.print(Text.assemble(("gatefold demo", "bold cyan"), f"  {text}\n"))

    def done(self, text: str, *, mark: str = "✔", style: str = "green") -> None:
        """A step that is finished, with the seconds since the beginning."""
        if not self._quiet:
            head = Text.assemble("  ", (mark, style), (f" {self.seconds:5.1f} s  ", "dim"))
            lines = Text(text).wrap(self._console, max(20, self._console.width - len(head)))
            for at, line in enumerate(lines):
                self._console.print(Text.assemble(head if at == 0 else " " * len(head), line), soft_wrap=True)

    def bar(self, name: str, completed: int, total: int | None) -> None:
        """Where a count stands, and where it should go as far as that is known."""
        count = f"{completed:,}" if total is None else f"{completed:,} of {total:,}"
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total, count=count)
        self._progress.update(self._bars[name], completed=completed, total=total, count=count)
