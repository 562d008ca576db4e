"""A connection that notes what each statement takes, for the profile of a bundle."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any, cast

from services.stores.postgres import Connection
from services.stores.queries import statements, subjects


class Stopwatch:
    """Time and calls by statement, as `subject.name`; begin and commit have names of their own.

    Units:   seconds; `wall` is what we waited, `cpu` what this process worked meanwhile (arguments in, rows out).
    """

    def __init__(self) -> None:
        self._names = {sql: f"{subject}.{name}" for subject in subjects() for name, sql in statements(subject).items()}
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)

    def watch(self, connection: Connection) -> Connection:
        """The connection, measured."""
        return cast(Connection, _Watched(self, connection))

    def clear(self) -> None:
        """Forget what was measured so far."""
        self.wall.clear()
        self.cpu.clear()
        self.calls.clear()

    def name(self, sql: str) -> str:
        """What a statement is called."""
        return self._names.get(sql) or " ".join(sql.split())[:40]

    def add(self, name: str, since: tuple[float, float]) -> None:
        """Count one call that began at `now()`."""
        wall, cpu = now()
        self.wall[name] += wall - since[0]
        self.cpu[name] += cpu - since[1]
        self.calls[name] += 1


def now() -> tuple[float, float]:
    """Time of the clock, and time this process has worked."""
    return time.perf_counter(), time.process_time()


class _Watched:
    """Stands for a connection; calls that take a statement are timed."""

    def __init__(self, watch: Stopwatch, connection: Connection) -> None:
        self._watch = watch
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute", "executemany", "fetchmany"):
            return found

        async def timed(sql: str, *arguments: Any, **options: Any) -> Any:
            started = now()
            try:
                return await found(sql, *arguments, **options)
            finally:
                self._watch.add(self._watch.name(sql), started)

        return timed

    def transaction(self, **options: Any) -> _Transaction:
        return _Transaction(self._watch, self._connection.transaction(**options))


class _Transaction:
    def __init__(self, watch: Stopwatch, transaction: Any) -> None:
        self._watch = watch
        self._transaction = transaction

    async def __aenter__(self) -> None:
        started = now()
        await self._transaction.__aenter__()
        self._watch.add("begin", started)

    async def __aexit__(self, *error: Any) -> Any:
        started = now()
        try:
            return await self._transaction.__aexit__(*error)
        finally:
            self._watch.add("commit", started)
