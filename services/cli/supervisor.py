"""Child processes that are started again whenever they end, and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.logs import logger

BACKOFF_SECONDS = (0.5, 10.0)
# Who ran this long was well: the next end counts as the first.
WELL_SECONDS = 30.0
STOP_SECONDS = 30.0
READ_BYTES = 1 << 16
# Longer lines are cut in pieces.
LINE_BYTES = 1 << 20
PR_SET_PDEATHSIG = 1

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep running: its name in the log, its command line, and what its environment has besides ours."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs children until stopped; `write` gets each of their lines with the child's name."""

    def __init__(self, children: Sequence[Child], write: Callable[[str, bytes], None]) -> None:
        self._children = children
        self._write = write
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask all children to end, as SIGTERM does; after STOP_SECONDS they are killed."""
        self._stop.set()

    async def run(self) -> None:
        """Keep the children running until `stop`."""
        await asyncio.gather(*(self._keep(child) for child in self._children))

    async def _keep(self, child: Child) -> None:
        failures = 0
        while not self._stop.is_set():
            begin = time.monotonic()
            code = await self._run_once(child)
            if self._stop.is_set():
                log.info("stopped", child=child.name, code=code)
                return
            failures = 1 if time.monotonic() - begin >= WELL_SECONDS else failures + 1
            pause = pause_seconds(failures)
            log.warning("ended, starts again", child=child.name, code=code, in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    async def _run_once(self, child: Child) -> int:
        process = await asyncio.create_subprocess_exec(
            *child.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.environment},
            # Ctrl-C reaches the supervisor alone, which then stops the children in its own way.
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        log.info("started", child=child.name, pid=process.pid)
        assert process.stdout is not None
        copying = asyncio.create_task(self._copy(child.name, process.stdout))
        ending = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await asyncio.wait({ending}, timeout=STOP_SECONDS)
            if not ending.done():
                log.error("does not stop, is killed", child=child.name, after_seconds=STOP_SECONDS)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            code = await ending
            # A grandchild may hold the pipe open.
            await asyncio.wait({copying}, timeout=1)
            return code
        finally:
            stopping.cancel()
            copying.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    async def _copy(self, name: str, lines: asyncio.StreamReader) -> None:
        rest = b""
        while block := await lines.read(READ_BYTES):
            *whole, rest = (rest + block).split(b"\n")
            if len(rest) > LINE_BYTES:
                whole.append(rest)
                rest = b""
            for line in whole:
                self._write(name, line + b"\n")
        if rest:
            self._write(name, rest + b"\n")


def pause_seconds(failures: int) -> float:
    """How long to wait after so many ends in a row."""
    shortest, longest = BACKOFF_SECONDS
    return float(min(longest, shortest * 2.0 ** min(failures - 1, 16)))


def _end_with_parent() -> None:
    """In the child: be told to stop should the supervisor die without a chance to say so."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
