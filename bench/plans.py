"""What the server does for each statement of a bundle: EXPLAIN (ANALYZE, BUFFERS, WAL), undone, then the real call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from rich.table import Table

from bench.stopwatch import Stopwatch
from services.stores.postgres import Connection

EXPLAIN = "explain (analyze, timing off, buffers, wal, format json) "
COLUMNS = ("server µs", "WAL B", "WAL records", "full pages", "buffers hit", "read", "dirtied")


class Explainer:
    """Collects the server's own figures by statement."""

    def __init__(self) -> None:
        self._names = Stopwatch()
        self._found: dict[str, list[float]] = {}

    def watch(self, connection: Connection) -> Connection:
        """The connection, each of whose statements is explained before it runs."""
        return cast(Connection, _Explained(self, connection))

    async def explain(self, connection: Connection, sql: str, arguments: tuple[Any, ...]) -> None:
        """Run the statement under EXPLAIN and take it back."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            text = await connection.fetchval(EXPLAIN + sql, *arguments)
        finally:
            await transaction.rollback()
        document = json.loads(text)[0]
        plan: Mapping[str, Any] = document["Plan"]
        figures = [
            document["Execution Time"] * 1000,
            _sum(plan, "WAL Bytes"),
            _sum(plan, "WAL Records"),
            _sum(plan, "WAL FPI"),
            plan.get("Shared Hit Blocks", 0),
            plan.get("Shared Read Blocks", 0),
            plan.get("Shared Dirtied Blocks", 0),
        ]
        name = self._names.name(sql)
        self._found[name] = [a + b for a, b in zip(self._found.get(name, [0.0] * len(figures)), figures, strict=True)]

    def table(self, units: int) -> Table:
        """Everything per unit, the slowest statement first."""
        grid = Table("statement", title=f"the server's share, per unit, of {units:,} units in one bundle")
        for column in COLUMNS:
            grid.add_column(column, justify="right")
        for name, figures in sorted(self._found.items(), key=lambda one: -one[1][0]):
            grid.add_row(name, *(f"{figure / units:,.2f}" for figure in figures))
        return grid


def _sum(plan: Mapping[str, Any], figure: str) -> float:
    """The figure of the topmost node that has it: nodes count those below them in."""
    if figure in plan:
        return float(plan[figure])
    return sum(_sum(below, figure) for below in plan.get("Plans", ()))


class _Explained:
    """Stands for a connection; only statements inside a transaction are explained."""

    def __init__(self, explainer: Explainer, connection: Connection) -> None:
        self._explainer = explainer
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute"):
            return found

        async def explained(sql: str, *arguments: Any, **options: Any) -> Any:
            if self._connection.is_in_transaction():
                await self._explainer.explain(self._connection, sql, arguments)
            return await found(sql, *arguments, **options)

        return explained
