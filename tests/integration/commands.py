"""Run `gatefold` as a process of its own, the way people and supervisors do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """What a command answered."""

    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    """The command line of a `gatefold` command."""
    return [sys.executable, "-m", "services.cli.main", *arguments]


def gatefold(environment: Mapping[str, str], *arguments: str, stdin: bytes = b"", seconds: float = 60) -> Done:
    """Run a command to its end."""
    done = subprocess.run(
        command(*arguments),
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def until(what: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait for something to become true.

    Raises:  AssertionError when it does not.
    """
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
