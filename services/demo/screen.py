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
WIDEST: Final = 120
BOOT, SENT, PROCESSED, PUBLISHED = "boot", "events sent", "events processed", "awards published"
BOOT_STAGES: Final = 6


def console(stream: TextIO) -> Console:
    """A console as wide as the terminal, up to where lines get hard to read; without a terminal 100 columns wide."""
    if stream.isatty():
        width = min(WIDEST, Console(file=stream).width)
    else:
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdecimal() and int(columns) > 0 else WIDTH
    return Console(file=stream, width=width, highlight=False)


class Screen:
    """Steps and bars. `quiet` shows nothing but bars, and these only on a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        for stream in (sys.stdout, sys.stderr):
            # A terminal that knows no check marks gets question marks, not a traceback.
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        self._console = console(sys.stderr)
        self._quiet = quiet
        self._begin = time.monotonic()
        self._progress = Progress(
            TextColumn(" "),
            SpinnerColumn(finished_text="[green]✔"),
            TextColumn("{task.description}", justify="left"),
            BarColumn(bar_width=36),
            TextColumn("{task.fields[count]}", style="bold"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {
            name: self._progress.add_task(f"{name:<{len(PROCESSED)}}", total=None, count="", visible=False)
            for name in (BOOT, SENT, PROCESSED, PUBLISHED)
        }

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

    def boot(self, done: int, doing: str) -> None:
        """So many stages of the boot are over, this is the one that runs."""
        self._show(BOOT, done, BOOT_STAGES, doing)

    def bar(self, name: str, completed: int, total: int | None) -> None:
        """Where a count stands, and where it should go as far as that is known."""
        self._show(name, completed, total, f"{completed:,}" if total is None else f"{completed:,} of {total:,}")

    def _show(self, name: str, completed: int, total: int | None, count: str) -> None:
        self._progress.update(self._bars[name], completed=completed, total=total, count=count, visible=True)
