"""One engine from stopped to answering: ports, process, questions until it answers, and what its log says if not."""

import re
import threading
import time
from pathlib import Path

from services.stack.engine import Engine
from services.stack.errors import BootFailed, PortTaken, Unreachable
from services.stack.ports import free_port, is_free
from services.stack.processes import all_with, is_ours, kill_families, listens, spawn
from services.stack.state import EngineState, State

PORT_ATTEMPTS = 4
EXTERNAL_SECONDS = 10.0
SHOWN_LINES = 20
TAKEN = re.compile(r"address already in use|BindException|failed to bind", re.IGNORECASE)


def boot(engine: Engine, state: State, log: Path, stop: threading.Event) -> None:
    """Return when the engine answers; start it unless it runs.

    Raises:  BootFailed with the end of its log. The process, if any, is recorded in the state and left to the caller.
    """
    entry = state.engine(engine.name)
    if entry.process is not None and is_ours(entry.process, engine.marker):
        try:
            _wait(engine, entry, log, 0, stop)
            return
        except BootFailed:
            # It runs but does not answer: stopped, hung or half dead. A new process on the same data is the remedy.
            if stop.is_set():
                raise
    for attempt in range(PORT_ATTEMPTS):
        # What runs without being recorded was started by a boot that was killed before it could write it down.
        kill_families(all_with(engine.marker))
        _choose_ports(engine, entry)
        engine.prepare(entry.ports, log)
        begin = log.stat().st_size if log.exists() else 0
        launch = engine.launch(entry.ports)
        entry.process = spawn(launch.argv, log=log, cwd=engine.home, env=launch.env, owner=launch.owner)
        entry.url = engine.url(entry.ports)
        state.save()
        try:
            _wait(engine, entry, log, begin, stop)
            return
        except PortTaken:
            if attempt == PORT_ATTEMPTS - 1:
                raise
            entry.ports = {}


def _choose_ports(engine: Engine, entry: EngineState) -> None:
    """Keep the ports of the last boot where they are free: clients then find the engine where it was."""
    kept = {name: port for name, port in entry.ports.items() if is_free(port)}
    for name in engine.port_names:
        if name not in kept:
            kept[name] = free_port(avoid=kept.values())
    entry.ports = kept


def _wait(engine: Engine, entry: EngineState, log: Path, begin: int, stop: threading.Event) -> None:
    process = entry.process
    assert process is not None
    deadline = time.monotonic() + engine.boot_seconds
    problem = "it does not listen"
    while not stop.is_set():
        if not is_ours(process, engine.marker):
            kind = PortTaken if TAKEN.search(_since(log, begin)) else BootFailed
            raise kind(_message(engine, "ended during its boot", log))
        # Asked only once this very process listens: another server on the port might answer in its place.
        if all(listens(process.pid, port) for port in entry.ports.values()):
            try:
                engine.check(entry.ports)
                return
            except Exception as error:  # whatever a driver raises while a server boots means: not yet
                problem = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            raise BootFailed(_message(engine, f"does not answer after {engine.boot_seconds:.0f} s ({problem})", log))
        stop.wait(engine.poll_seconds)
    raise BootFailed(f"the boot of {engine.name} was given up")


def ask_external(kind: type[Engine], url: str) -> None:
    """Return when a server of somebody else's answers.

    Raises:  Unreachable after a while.
    """
    deadline = time.monotonic() + EXTERNAL_SECONDS
    while True:
        try:
            kind.ask(url)
            return
        except Exception as error:  # see above
            if time.monotonic() > deadline:
                raise Unreachable(f"{kind.setting} is set, but nothing answers there: {error}") from error
        time.sleep(0.5)


def answers(kind: type[Engine], url: str) -> bool:
    """Whether the server answers now."""
    try:
        kind.ask(url)
    except Exception:  # see above
        return False
    return True


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log; none when there is no log yet."""
    if not log.exists():
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:] if lines > 0 else []


def _since(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read().decode("utf-8", errors="replace")


def _message(engine: Engine, what: str, log: Path) -> str:
    end = "\n".join(tail(log, SHOWN_LINES))
    return f"{engine.name} {what}; the end of {log}:\n{end}"
