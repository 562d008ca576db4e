"""Processes that are ours, proved by start time and command line, and never anybody else's."""

import atexit
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

# Engines started by this very process. Asking them for their end code is what lets the system forget them.
_children: dict[int, subprocess.Popen[bytes]] = {}


@atexit.register
def _take_note() -> None:
    """Take note of the end of those that others have ended, or Python complains of them on its way out."""
    for child in _children.values():
        child.poll()


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that stays recognisable when the system hands its number to another one."""

    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The account a process runs as."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str], *, log: Path, cwd: Path, env: Mapping[str, str] | None = None, owner: Owner | None = None
) -> ProcessId:
    """Start a process in a session of its own, its output appended to the log; it survives us."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            start_new_session=True,
            user=None if owner is None else owner.uid,
            group=None if owner is None else owner.gid,
            extra_groups=None if owner is None else (),
        )
    _children[child.pid] = child
    started = start_time(child.pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        # For a moment a new process has no command line yet, and nothing to be recognised by.
        while start_time(child.pid) is not None and not psutil.Process(child.pid).cmdline():
            time.sleep(0.001)
    return ProcessId(child.pid, started or "gone")


def start_time(pid: int) -> str | None:
    """When the process started, in a form that no later process of that number has; None when it is gone.

    A zombie is gone: it only waits for its parent to notice. While other threads than its first still end, it is not:
    they hold its ports until they have.
    """
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        _children.pop(pid, None)
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1:
            return None
        try:
            # Ticks since this boot: unlike the wall clock they do not move when the clock is set.
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
            return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{ticks}"
        except (OSError, IndexError):
            return f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def carries(arguments: Sequence[str], marker: str) -> bool:
    """Whether a command line is one of an engine started with this marker.

    PostgreSQL's children have a title for a command line; it begins with the cluster's name.
    """
    own = {f"-Dgatefold.engine={marker}", f"cluster_name={marker}"}
    return not own.isdisjoint(arguments) or " ".join(arguments).startswith(f"postgres: {marker}: ")


def is_ours(process_id: ProcessId, marker: str) -> bool:
    """Whether that very process still runs: the same start, and our marker on its command line."""
    if start_time(process_id.pid) != process_id.started:
        return False
    try:
        return carries(psutil.Process(process_id.pid).cmdline(), marker)
    except psutil.Error:
        return False


def all_with(marker: str) -> list[int]:
    """Every live process that carries the marker."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if alive and carries(process.info["cmdline"] or (), marker):
            found.append(int(process.pid))
    return found


def listens(pid: int, port: int) -> bool:
    """Whether this process, and not another one, accepts connections on the port."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)


def kill_families(pids: Iterable[int]) -> None:
    """SIGKILL the processes and all their descendants, and wait until they are gone."""
    family: dict[int, psutil.Process] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            # Stopped first, so that it cannot fork while its children are listed.
            process.send_signal(signal.SIGSTOP)
            family[pid] = process
            family.update((child.pid, child) for child in process.children(recursive=True))
    for process in family.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    for pid in family:
        wait_gone(pid, timeout_seconds=10)


def wait_gone(pid: int, timeout_seconds: float) -> bool:
    """Wait for the end of a process; whether it came."""
    deadline = time.monotonic() + timeout_seconds
    started = start_time(pid)
    while started is not None and start_time(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def end(pid: int, signal_number: int, grace_seconds: float) -> None:
    """Ask the process to stop with a signal; kill it and its children when the grace is over."""
    children: list[int] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        children = [child.pid for child in process.children(recursive=True)]
        process.send_signal(signal_number)
    if not wait_gone(pid, grace_seconds):
        kill_families([pid, *children])


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes; the system frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
