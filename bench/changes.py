"""The rows that a bundle left behind, read from the tables: whatever statements wrote them, these had to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncpg.transaction import Transaction

from services.stores.postgres import Connection

Row = tuple[Any, ...]

COLUMNS: Final = """
select c.relname as name, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
       coalesce(a.attnum = any(k.conkey), false) as key
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.relkind = 'r' and not c.relispartition and c.relname <> 'migration'
order by c.relname, a.attnum
"""

# The number that the next transaction to write will bear, as it stands in xmin.
NEXT: Final = "select pg_snapshot_xmax(pg_current_snapshot())::xid::text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a primary key, and the two plain statements that change its rows set by set."""

    name: str
    columns: Sequence[str]
    types: Sequence[str]
    keys: Sequence[int]

    def key(self, row: Row) -> Row:
        """The primary key of a row."""
        return tuple(row[at] for at in self.keys)

    def insert(self) -> str:
        """Insert rows given as one array per column."""
        names = ", ".join(_quoted(self.columns))
        return (
            f"insert into {self.name} ({names}) overriding system value "  # noqa: S608 - names from the catalog
            f"select {', '.join(self._values())} from unnest({self._arrays()}) as n ({names})"
        )

    def update(self) -> str:
        """Set the columns outside of the key of rows given as one array per column."""
        columns, values = _quoted(self.columns), self._values()
        keys = [columns[at] for at in self.keys]
        setters = ", ".join(f"{columns[at]} = {values[at]}" for at in range(len(columns)) if at not in self.keys)
        same = " and ".join(f"t.{column} = n.{column}" for column in keys)
        return (
            f"update {self.name} t set {setters} "  # noqa: S608 - names from the catalog
            f"from unnest({self._arrays()}) as n ({', '.join(columns)}) where {same}"
        )

    def younger(self) -> str:
        """Rows written by the transaction of this number or a later one: no older than it."""
        names = ", ".join(_quoted(self.columns))
        return f"select {names} from {self.name} where age(xmin) <= age($1::text::xid)"  # noqa: S608 - names from the catalog

    def standing(self) -> str:
        """Those of the keys, given as one array per column, that have a row."""
        names = ", ".join(_quoted([self.columns[at] for at in self.keys]))
        arrays = ", ".join(f"${at}::{self.types[key]}[]" for at, key in enumerate(self.keys, 1))
        return (
            f"select {names} from unnest({arrays}) as k ({names}) "  # noqa: S608 - names from the catalog
            f"join {self.name} using ({names})"
        )

    def _arrays(self) -> str:
        # Arrays within arrays must all have one length: they travel as text.
        return ", ".join(f"${at}::{'text' if is_array(kind) else kind}[]" for at, kind in enumerate(self.types, 1))

    def _values(self) -> list[str]:
        return [
            f"n.{column}::{kind}" if is_array(kind) else f"n.{column}"
            for column, kind in zip(_quoted(self.columns), self.types, strict=True)
        ]


def is_array(kind: str) -> bool:
    """Whether a column of this type holds arrays."""
    return kind.endswith("[]")


@dataclass(slots=True)
class Change:
    """What became of one table's rows in one bundle, sorted by key."""

    table: Table
    inserted: list[Row] = field(default_factory=list)
    updated: list[Row] = field(default_factory=list)


async def tables(connection: Connection) -> list[Table]:
    """All tables of the schema, in order of their names."""
    found: dict[str, list[Any]] = {}
    for row in await connection.fetch(COLUMNS):
        found.setdefault(row["name"], []).append(row)
    return [
        Table(
            name,
            [row["column"] for row in rows],
            [row["type"] for row in rows],
            [at for at, row in enumerate(rows) if row["key"]],
        )
        for name, rows in found.items()
    ]


class Watcher:
    """Tells after each bundle which rows it inserted and which it updated.

    Shape:   a row's xmin is the transaction that wrote its present form, so rows are found without trigger or log;
             how often a bundle wrote a row does not show, and is not what the row change needs. `past` is a second
             connection, which keeps the sight of before the bundle.
    """

    def __init__(self, present: Connection, past: Connection, watched: Sequence[Table]) -> None:
        self._present, self._past = present, past
        self._tables = watched
        self._sight: Transaction | None = None
        self._next = ""

    async def begin(self) -> None:
        """Call before the bundle."""
        self._sight = self._past.transaction(isolation="repeatable_read", readonly=True)
        await self._sight.start()
        self._next = await self._past.fetchval(NEXT)

    async def end(self) -> list[Change]:
        """What the bundle left, table by table; tables it did not touch are left out."""
        assert self._sight is not None
        changes = []
        for table in self._tables:
            rows = [tuple(row) for row in await self._present.fetch(table.younger(), self._next)]
            if rows:
                rows.sort(key=table.key)
                keys = [list(column) for column in zip(*map(table.key, rows), strict=True)]
                stood = {tuple(row) for row in await self._past.fetch(table.standing(), *keys)}
                change = Change(table)
                for row in rows:
                    (change.updated if table.key(row) in stood else change.inserted).append(row)
                changes.append(change)
        await self._sight.rollback()
        return changes


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]
