"""The engines of one state directory: up, down, and every way they can have died in between."""

import contextlib
import os
import shlex
import shutil
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from services.stack import boot
from services.stack.endpoints import Endpoints, EngineStatus
from services.stack.engine import Engine
from services.stack.errors import StackError
from services.stack.jars import cache_dir, fetch, read_lock
from services.stack.kafka import Kafka
from services.stack.neo4j import Neo4j
from services.stack.postgres import Postgres
from services.stack.processes import all_with, end, is_ours, kill_families, locked
from services.stack.state import State, write_private

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (Postgres, Kafka, Neo4j)}
ALL = tuple(ENGINES)


class Stack:
    """The engines whose processes, ports, data and logs live in one directory."""

    def __init__(self, state_dir: Path) -> None:
        self.directory = state_dir.expanduser().absolute()
        self._state_file = self.directory / "state.json"

    def up(self, engines: Collection[str] = ALL, *, progress: bool = False) -> Endpoints:
        """Start what does not run yet, side by side, and return when all of it answers.

        An engine whose GATEFOLD_*_URL is set to somebody else's server is not started, only asked whether it is there.

        Raises:  BootFailed, Unreachable, DownloadFailed, WrongDigest; what this call has started is then ended again.
        """
        with self._locked(create=True):
            state = State(self._state_file)
            external = {name: url for name in engines if (url := self._external(name, state))}
            own = [name for name in ENGINES if name in engines and name not in external]
            stop = threading.Event()
            running_before = {name for name in own if self._running(name, state)}
            try:
                with ThreadPoolExecutor(max(len(engines), 1)) as pool:
                    try:
                        waiting = [pool.submit(boot.ask_external, ENGINES[n], url) for n, url in external.items()]
                        # PostgreSQL comes as a wheel: it boots while the jars of the others are fetched.
                        if "postgres" in own:
                            waiting.append(pool.submit(self._boot, "postgres", state, stop))
                        rest = [name for name in own if name != "postgres"]
                        cold = [name for name in rest if name not in running_before]
                        fetch([jar for jar in read_lock() if jar.engine in cold], cache_dir(), progress=progress)
                        waiting += [pool.submit(self._boot, name, state, stop) for name in rest]
                        for done in as_completed(waiting):
                            done.result()
                    except BaseException:
                        stop.set()
                        raise
            except BaseException:
                for name in own:
                    if name not in running_before:
                        self._kill(name, state)
                raise
            self._write_env(state, external)
        return self.endpoints()

    def endpoints(self) -> Endpoints:
        """The addresses of what runs now and of what the environment names."""
        state = State(self._state_file)
        external = {name: url for name in ENGINES if (url := self._external(name, state))}
        return Endpoints({name: url for name in ENGINES if (url := self._url(name, state, external))})

    def start_engine(self, name: str) -> str:
        """Start one engine again, on its former port if that is free; its address."""
        return self.up((name,))[name]

    def restart(self, name: str) -> str:
        """Stop one engine in the orderly way and start it; its address."""
        self.stop_engine(name)
        return self.start_engine(name)

    def stop_engine(self, name: str) -> None:
        """Stop one engine in the orderly way; its data stay."""
        with self._locked():
            self._stop(self._own(name), State(self._state_file))

    def kill(self, name: str) -> None:
        """SIGKILL one engine with all its children, as a fault would."""
        with self._locked():
            self._kill(self._own(name), State(self._state_file))

    def down(self, *, wipe: bool = False) -> list[str]:
        """End every process of this stack and no other; with wipe, remove its data, too. The engines that ran."""
        if not self._state_file.exists():
            return []
        with self._locked():
            try:
                state = State(self._state_file)
            except StackError:
                if not wipe:
                    raise
                self._state_file.unlink()
                state = State(self._state_file)
            ran = [name for name in ENGINES if self._running(name, state)]
            with ThreadPoolExecutor(len(ENGINES)) as pool:
                for done in [pool.submit(self._kill if wipe else self._stop, name, state) for name in ENGINES]:
                    done.result()
            if wipe:
                for name in ENGINES:
                    self._engine(name, state).remove()
                shutil.rmtree(self.directory / "logs", ignore_errors=True)
                for path in (self._state_file, self.env_file):
                    path.unlink(missing_ok=True)
        if wipe:
            (self.directory / "lock").unlink(missing_ok=True)
            # What somebody else has put there is not ours to remove.
            with contextlib.suppress(OSError):
                self.directory.rmdir()
        return ran

    def status(self) -> list[EngineStatus]:
        """Every engine, whether it runs and whether it answers."""
        state = State(self._state_file)

        def one(name: str) -> EngineStatus:
            external = self._external(name, state)
            process = state.engine(name).process
            pid = process.pid if process and self._running(name, state) and not external else None
            url = external or (state.engine(name).url if pid else None)
            if url is None:
                return EngineStatus(name, "stopped", None, None)
            answers = boot.answers(ENGINES[name], url)
            if external:
                return EngineStatus(name, "external" if answers else "external, not answering", url, None)
            return EngineStatus(name, "running" if answers else "not answering", url, pid)

        with ThreadPoolExecutor(len(ENGINES)) as pool:
            return list(pool.map(one, ENGINES))

    def logs(self, name: str, lines: int = 50) -> list[str]:
        """The last lines of one engine's log, of all its boots."""
        return boot.tail(self.log_file(name), lines)

    def log_file(self, name: str) -> Path:
        """Where one engine's output goes."""
        return self.directory / "logs" / f"{name}.log"

    @property
    def env_file(self) -> Path:
        """The file to source in a shell."""
        return self.directory / "env"

    def environment(self) -> dict[str, str]:
        """The settings of the env file, for the processes that use this stack."""
        words = shlex.split(self.env_file.read_text(encoding="utf-8"), comments=True)
        return dict(word.split("=", 1) for word in words if word != "export")

    @classmethod
    @contextlib.contextmanager
    def temporary(cls, engines: Collection[str] = ALL, *, progress: bool = False) -> Iterator["Stack"]:
        """A stack that is gone with its data at the end of the block, or of this process however it ends."""
        from services.stack.reaper import doomed_directory

        with doomed_directory() as directory:
            stack = cls(directory)
            try:
                stack.up(engines, progress=progress)
                yield stack
            finally:
                stack.down(wipe=True)

    # -- one engine -------------------------------------------------------------------------------------------------

    def _boot(self, name: str, state: State, stop: threading.Event) -> None:
        boot.boot(self._engine(name, state), state, self.log_file(name), stop)

    def _stop(self, name: str, state: State) -> None:
        process = state.engine(name).process
        if process is not None and is_ours(process, state.marker(name)):
            end(process.pid, ENGINES[name].stop_signal, ENGINES[name].stop_grace_seconds)
        self._kill(name, state)

    def _kill(self, name: str, state: State) -> None:
        marker, process = state.marker(name), state.engine(name).process
        if process is not None and is_ours(process, marker):
            kill_families([process.pid])
        # The children of a process that was killed alone have other parents by now; they carry the marker, too.
        kill_families(all_with(marker))
        if process is not None:
            state.engine(name).process = None
            state.save()

    def _running(self, name: str, state: State) -> bool:
        process = state.engine(name).process
        return process is not None and is_ours(process, state.marker(name))

    def _engine(self, name: str, state: State) -> Engine:
        return ENGINES[name](self.directory / name, state.marker(name), state.password)

    # -- addresses --------------------------------------------------------------------------------------------------

    def _external(self, name: str, state: State) -> str | None:
        """The server that the environment names, unless it is our own: somebody may have sourced our env file."""
        url = os.environ.get(ENGINES[name].setting) or None
        return None if url == state.engine(name).url else url

    def _own(self, name: str) -> str:
        if self._external(name, State(self._state_file)):
            raise StackError(f"{name} is not a process of this stack: {ENGINES[name].setting} names it")
        return name

    def _url(self, name: str, state: State, external: Mapping[str, str]) -> str | None:
        return external.get(name) or (state.engine(name).url if self._running(name, state) else None)

    def _write_env(self, state: State, external: Mapping[str, str]) -> None:
        settings = {
            engine.setting: url for name, engine in ENGINES.items() if (url := self._url(name, state, external))
        }
        settings |= {"GATEFOLD_JWT_SECRET": state.jwt_secret, "GATEFOLD_ERASURE_KEY": state.erasure_key}
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
        write_private(self.env_file, "".join(lines))

    @contextlib.contextmanager
    def _locked(self, create: bool = False) -> Iterator[None]:
        if create:
            self._claim()
        elif not self._state_file.exists():
            raise StackError(f"there is no stack in {self.directory}")
        with locked(self.directory / "lock"):
            yield

    def _claim(self) -> None:
        """Make the directory; refuse one in which our names are taken by files that are not ours to overwrite."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with locked(self.directory / "lock"):
            if self._state_file.exists():
                (self.directory / "logs").mkdir(exist_ok=True)
                return
            foreign = [name for name in (*ENGINES, "logs", "env") if (self.directory / name).exists()]
            if foreign:
                raise StackError(f"{self.directory} is not a stack's directory, but holds {', '.join(foreign)}")
            State(self._state_file).save()
            (self.directory / "logs").mkdir()


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The engines of these names, in the order of ENGINES.

    Raises:  ValueError naming the unknown ones.
    """
    if unknown := [name for name in names if name not in ENGINES]:
        raise ValueError(f"unknown engine {', '.join(unknown)}: there are {', '.join(ENGINES)}")
    return tuple(name for name in ENGINES if name in names)
