"""`gatefold` processes of the tests: started in the background, watched through their logs, never left behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

SHOWN_LINES = 60
# A child must not outlive the tests, however they end: where there is such a signal, the kernel sends it.
START = """\
import sys
if sys.platform == "linux":
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
from services.cli.main import main
main()
"""


class Process:
    """One `gatefold` command that runs in the background and logs JSON lines."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.child, self.log = name, child, log

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self.child.poll()

    def told(self, event: str) -> list[dict[str, Any]]:
        """The log lines that tell of this, so far."""
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == event:
                    found.append(entry)
        return found

    def wait_for(self, event: str, *, times: int = 1, seconds: float = 45) -> dict[str, Any]:
        """The log line that tells of this for the nth time, awaited."""
        until(lambda: self._or_ended(len(self.told(event)) >= times), f"{self.name}: {event!r}", seconds=seconds)
        return self.told(event)[times - 1]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of the process's own HTTP port; status 0 where it does not answer."""
        url = self.wait_for("health and metrics")["url"]
        try:
            with urllib.request.urlopen(f"{url}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's values, of those with these labels."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return sum(float(value) for given, value in found if wanted <= set(given.split(",")))

    def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()
        self.child.wait()

    def terminate(self, *, seconds: float = 30) -> int:
        """SIGTERM, and the exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def tail(self) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:])

    def _or_ended(self, answer: bool) -> bool:
        assert answer or self.code is None, f"{self.name} ended with {self.code}:\n{self.tail()}"
        return answer


class Crew:
    """The processes of one set of settings; `logins` are the addresses of PostgreSQL that some of them have."""

    every: ClassVar[list["Crew"]] = []

    def __init__(self, directory: Path, environment: Mapping[str, str], logins: Mapping[str, str]) -> None:
        self._directory, self._environment, self._logins = directory, environment, logins
        self.processes: list[Process] = []
        Crew.every.append(self)

    def start(self, name: str, *, program: str = START, **settings: str) -> Process:
        """Start `gatefold NAME`; settings are GATEFOLD_* variables without their prefix, in lower case."""
        if name in self._logins:
            settings = {"postgres_url": self._logins[name], **settings}
        more = {f"GATEFOLD_{key.upper()}": value for key, value in settings.items()}
        log = self._directory / f"{name}-{len(self.processes)}.log"
        with log.open("wb") as out:
            child = subprocess.Popen(
                [sys.executable, "-c", program, name, "--json"],
                env={**os.environ, **self._environment, **more, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(Process(log.stem, child, log))
        return self.processes[-1]

    def worker(self, **settings: str) -> Process:
        """A worker that has its share of the partitions."""
        process = self.start("worker", **settings)
        process.wait_for("assigned")
        return process

    def stop(self) -> None:
        """SIGTERM to all that run; SIGKILL to those who do not end by it."""
        running = [process for process in self.processes if process.code is None]
        for process in running:
            process.child.terminate()
        deadline = time.monotonic() + 10
        for process in running:
            try:
                process.child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def close(self) -> None:
        """End all of them; nothing is asked of them any more."""
        for process in self.processes:
            if process.code is None:
                process.kill()
        Crew.every.remove(self)


def until(what: Callable[[], bool], name: str, *, seconds: float = 45) -> None:
    """Wait for something to become true.

    Raises:  AssertionError when it does not.
    """
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"{name}: not within {seconds:g} s"
        time.sleep(0.02)
