"""One log for everything in the process: text for people, or one JSON object per line for machines, on stderr."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog

# Faust and aiokafka log some sixty ERROR lines a second while a broker is away; httpx names every address that it asks.
CHATTY = ("aiokafka", "faust", "mode", "kafka", "httpx", "httpcore")
WINDOW_SECONDS = 30.0
LINES_PER_WINDOW = 3
MOST_KINDS = 500

_VARYING = re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?")


class NoiseFilter(logging.Filter):
    """Leaves out what libraries say while all is well, unless somebody asked for DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written. Faust's services log under the names of our modules, but begin with [^."""
        if record.levelno >= logging.WARNING:
            return True
        return record.name.split(".", 1)[0] not in CHATTY and not str(record.msg).startswith("[^")


class RepeatFilter(logging.Filter):
    """Lets a few lines of a kind through per window, then says with the next one how many were left out.

    Shape:   lines are of one kind when logger, level and text agree but for numbers.
    Units:   window_seconds.
    """

    def __init__(
        self,
        names: tuple[str, ...] = CHATTY,
        *,
        lines: int = LINES_PER_WINDOW,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._names = names
        self._lines = lines
        self._window = window_seconds
        self._clock = clock
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        if record.name.split(".", 1)[0] not in self._names:
            return True
        kind = (record.name, record.levelno, _VARYING.sub("#", record.getMessage())[:200])
        now = self._clock()
        start, count = self._seen.get(kind, (now, 0))
        if now - start >= self._window:
            if count > self._lines:
                left_out = count - self._lines
                record.msg = f"{record.getMessage()} ({left_out} more like this in {now - start:.0f} s)"
                record.args = None
            start, count = now, 0
        if len(self._seen) >= MOST_KINDS:
            self._seen.clear()
        self._seen[kind] = (start, count + 1)
        return count < self._lines


def configure(*, process: str, as_json: bool, level: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's lines to one handler; may be called again.

    Raises:  ValueError for a level that does not exist.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"GATEFOLD_LOG_LEVEL: {level!r} is no level; use DEBUG, INFO, WARNING or ERROR")
    out = stream or sys.stderr

    def name_process(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        shared.append(name_process)
        last: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=False),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=_in_colour(out), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            )
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _drop_colours],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    if number > logging.DEBUG:
        handler.addFilter(NoiseFilter())
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)


def _drop_colours(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """uvicorn says everything twice."""
    event.pop("color_message", None)
    return event


def _in_colour(out: TextIO) -> bool:
    """Whether the reader sees colours: a terminal, or a supervisor that passes them on."""
    return not os.environ.get("NO_COLOR") and (out.isatty() or bool(os.environ.get("FORCE_COLOR")))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The log of one module: `log.info("what happened", key=value)`."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found
