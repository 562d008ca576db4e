"""The demo's child processes: each with a log of its own, listened to through it, and never left behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

GRACE_SECONDS: Final = 6.0
SHOWN_LINES: Final = 8
LONGEST_LINE: Final = 240
PR_SET_PDEATHSIG: Final = 1


class ProcessEnded(Exception):
    """A process ended that should not have."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:]
        end = "\n".join(f"  {_readable(line)}" for line in lines)
        super().__init__(f"{name} ended with exit code {code}; the end of its log:\n{end}")


@dataclass(frozen=True, slots=True)
class Process:
    """One `gatefold` command that runs in the background."""

    name: str
    log: Path
    child: subprocess.Popen[bytes]
    ends: Collection[int]  # exit codes with which it may end; none where it should run on

    @property
    def pid(self) -> int:
        return self.child.pid

    def last(self, event: str) -> dict[str, Any] | None:
        """The newest log line that tells of this; None before there is one."""
        found = None
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == event:
                    found = entry
        return found


class Crew:
    """All processes of a run, started with one environment; their logs lie in one directory."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._environment = dict(environment)
        self._running: dict[str, Process] = {}

    def know(self, name: str, value: str) -> None:
        """Give every process that starts from now on this variable."""
        self._environment[name] = value

    def start(self, name: str, *arguments: str, ends: Collection[int] = ()) -> Process:
        """Start `gatefold ARGUMENTS`; to be called in the main thread, for with that the child ends, too."""
        log = self._directory / f"{name}.log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "services.cli.main", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**self._environment, "PYTHONUNBUFFERED": "1"},
                # Ctrl-C reaches the demo alone, which then stops them in its own way.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no other thread forks
            )
        self._running[name] = Process(name, log, child, ends)
        return self._running[name]

    def kill(self, process: Process) -> None:
        """SIGKILL: the process learns nothing of it and finishes nothing."""
        del self._running[process.name]
        process.child.kill()
        process.child.wait()

    def check(self) -> None:
        """Return while all of them do what they should.

        Raises:  ProcessEnded for one that ended and should run, or failed.
        """
        for process in self._running.values():
            code = process.child.poll()
            if code is not None and code not in process.ends:
                raise ProcessEnded(process.name, code, process.log)

    def stop(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask all of them to end, together; kill who has not when the grace is over."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        for process in self._running.values():
            try:
                process.child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.child.kill()
                process.child.wait()
        self._running.clear()


@contextlib.contextmanager
def crew(directory: Path, environment: Mapping[str, str]) -> Iterator[Crew]:
    """Processes that are all gone after the block."""
    directory.mkdir(exist_ok=True)
    made = Crew(directory, environment)
    try:
        yield made
    except BaseException:
        # Whatever went wrong, nobody waits for an orderly end.
        made.stop(grace_seconds=0.0)
        raise
    made.stop()


def _readable(line: str) -> str:
    """A line of JSON in words; of a traceback the last line, which says what happened."""
    with contextlib.suppress(ValueError):
        entry = json.loads(line)
        if isinstance(entry, dict) and "event" in entry:
            trace = str(entry.get("exception", "")).strip().splitlines()
            line = " ".join([str(entry.get("timestamp", ""))[11:23], str(entry["event"]), *trace[-1:]])
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
