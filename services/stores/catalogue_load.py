"""A load of the catalogue: batches of a dump into the tables, totals and dates of what they touched, and the news.

Shape:   everything that changes the catalogue runs in a transaction that begins with `share_catalogue`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from io import BytesIO
from typing import Any, Final, NamedTuple

from services.state.dates import issued, reissue
from services.state.facts import FIELDS, Facts, Stamp, Statement, digest, facts_of
from services.stores.ledger import CATALOGUE_LOCK
from services.stores.ownership import statement_in
from services.stores.postgres import Connection
from services.stores.queries import rows, statements

SQL = statements("catalogue_load")
LOAD_LOCK: Final = 0x67617465_6C6F6164
SOURCE: Final = "gatefold/catalogue"
NEVER: Final = date(1, 1, 1)

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "release": ("release_id", "digest", "content", "master_id", "issued", "reissue", "people", "labels", "artists"),
    "master": ("master_id", "title", "year"),
    "artist": ("artist_id", "name", "members"),
    "label": ("label_id", "name"),
}


class FileState(NamedTuple):
    """How far a file was read: bytes and lines of XML, their checksum, and how many elements they held."""

    bytes: int
    lines: int
    checksum: int
    elements: int
    bad: int


class Load(NamedTuple):
    """A load of the dump of one day."""

    load_id: int
    as_of: date

    @property
    def stamp(self) -> Stamp:
        """What marks a statement of this dump."""
        return Stamp(datetime.combine(self.as_of, time(), UTC), f"dump:{self.as_of}", SOURCE)


SESSION: Final = """
-- What a crash of the server takes of the last commits, it takes with the position that they moved.
set synchronous_commit = off;
-- Every statement looks rows up by key, however small or large the tables are by then; nobody has analyzed them yet.
set enable_hashjoin = off;
set enable_mergejoin = off;
set enable_seqscan = off;
set plan_cache_mode = force_custom_plan;
create temporary table if not exists staged_release (like staged_release) on commit delete rows;
create temporary table if not exists staged_master (like staged_master) on commit delete rows;
create temporary table if not exists staged_artist (like staged_artist) on commit delete rows;
create temporary table if not exists staged_label (like staged_label) on commit delete rows;
"""


async def settle(connection: Connection) -> None:
    """Make the session one for loading, with tables for its batches."""
    await connection.execute(SESSION)


async def try_lock(connection: Connection) -> bool:
    """Be the only load, as long as this session lives; whether that is granted."""
    return bool(await connection.fetchval(SQL["try_lock"], LOAD_LOCK))


async def share_catalogue(connection: Connection) -> None:
    """Until the transaction ends nobody prunes facts or describes a release; bundles go on."""
    await connection.execute(SQL["share_catalogue"], CATALOGUE_LOCK)


async def unfinished(connection: Connection) -> list[Load]:
    """Loads that were begun and not finished, oldest first."""
    return [Load(*row) for row in await connection.fetch(SQL["unfinished"])]


async def begin(connection: Connection, as_of: date) -> Load:
    """A new load."""
    return Load(int(await connection.fetchval(SQL["begin"], as_of)), as_of)


async def completed(connection: Connection) -> date:
    """The day of the newest whole dump: what was dumped before it, and not since, no longer counts."""
    found: date | None = await connection.fetchval(SQL["completed"])
    return found or NEVER


async def named(connection: Connection, kind: str) -> date:
    """The day of the newest dump that had elements of this kind."""
    found: date | None = await connection.fetchval(SQL["named"], kind)
    return found or NEVER


async def files(connection: Connection, load: Load) -> dict[str, FileState]:
    """How far each file of the load was read."""
    return {row["name"]: FileState(*row[1:]) for row in await connection.fetch(SQL["files"], load.load_id)}


async def save_file(connection: Connection, load: Load, name: str, kind: str, state: FileState) -> None:
    """How far a file was read, in the transaction of what was read."""
    await connection.execute(SQL["save_file"], load.load_id, name, kind, *state)


async def stage(connection: Connection, kind: str, lines: bytes) -> None:
    """Copy a batch, rows in the text format of COPY, to where it is merged from in the same transaction."""
    await connection.copy_to_table(f"staged_{kind}", source=BytesIO(lines), columns=COLUMNS[kind])


async def merge_releases(connection: Connection, load: Load, *, counts: bool) -> None:
    """The staged releases become what the catalogue says; `counts`: no newer whole dump lacks them."""
    await connection.execute(SQL["drop_known"], load.as_of, SOURCE)
    await _hear_everybody(connection, load)
    await connection.execute(SQL["unlink"], load.load_id)
    if counts:
        await connection.execute(SQL["link_labels"])
        await connection.execute(SQL["link_artists"])
    await connection.execute(SQL["add_masters"])
    await connection.execute(SQL["add_facts"])
    stamp = load.stamp
    await connection.execute(SQL["merge_releases"], load.load_id, load.as_of, stamp.time, stamp.id, stamp.source)


async def merge_names(connection: Connection, load: Load, kind: str, *, newest: bool) -> None:
    """The staged labels, artists or masters get their names; `newest`: no newer dump has named such."""
    if kind == "master":
        await connection.execute(SQL["merge_masters"], newest, load.load_id)
    else:
        await connection.execute(SQL["merge_labels" if kind == "label" else "merge_artists"], newest)


async def _hear_everybody(connection: Connection, load: Load) -> None:
    """Where not only dumps have spoken of a staged release, the newest statement of each field wins."""
    heard = []
    for row in await connection.fetch(SQL["described"], SOURCE):
        statement = statement_in(row["content"], row["stated_at"], row["by_id"], row["by_source"], row["stamps"])
        merged = said_with(statement, facts_of(row["dumped"]), load.stamp)
        facts, stamp = merged.facts, merged.stamp
        if stamp is None:
            continue
        heard.append(
            {
                "release_id": row["release_id"],
                "digest": f"\\x{digest(facts.content).hex()}",
                "content": facts.content.decode(),
                "master_id": facts.master_id or None,
                "issued": issued(facts.released, facts.year),
                "reissue": reissue(facts.formats),
                "stated_at": stamp.time,
                "by_id": stamp.id,
                "by_source": stamp.source,
                "stamps": merged.stamps and {name: merged.stamps[name] for name in FIELDS if name in merged.stamps},
            }
        )
    if heard:
        await connection.execute(SQL["restate"], rows(heard))


def said_with(statement: Statement, dumped: Facts, stamp: Stamp) -> Statement:
    """All that was said of a release when a dump states it anew: what an older dump said is void, gone fields too."""
    own = {name: said for name, said in statement.per_field().items() if said.source != SOURCE}
    facts = Facts(**{name: getattr(statement.facts, name) for name in own})
    distinct = set(own.values())
    merged = Statement(facts, max(distinct, default=None), own if len(distinct) > 1 else None)
    merged.say(dumped, stamp)
    return merged


async def complete(connection: Connection, load: Load) -> None:
    """The files of this load were whole dumps."""
    await connection.execute(SQL["complete"], load.load_id)


async def forget_gone(connection: Connection, load: Load, after: int, until: int, counted: date) -> int:
    """Releases of a page that this dump no longer has, and that counted since that day, count no more; how many."""
    return int(await connection.fetchval(SQL["forget_gone"], load.load_id, after, until, load.as_of, counted))


async def count_touched(connection: Connection, load: Load, kind: str, counted: date, most: int) -> list[int]:
    """Count again some of those that lost a release, or were not known before; answers which, none when all are done.

    Shape:   a master's versions are those dumped on the day `counted` or later.
    """
    ids = [row["id"] for row in await connection.fetch(SQL["touched"], load.load_id, kind, most)]
    if ids:
        arguments: tuple[Any, ...] = (ids, counted) if kind == "master" else (ids,)
        await _save_totals(connection, load, kind, await connection.fetch(SQL[f"count_{kind}s"], *arguments))
        await connection.execute(SQL["untouch"], load.load_id, kind, ids)
    return ids


async def next_page(connection: Connection, kind: str, after: int, size: int) -> int | None:
    """The last of the next ids that have some `size` releases together; None where there are none."""
    found: int | None = await connection.fetchval(SQL[f"next_{kind}s"], after, size)
    return found


async def count_fresh(
    connection: Connection, load: Load, kind: str, after: int, until: int, counted: date
) -> list[int]:
    """Count again those of a page of which this dump has a release; answers which."""
    arguments = (after, until, load.as_of, counted) if kind == "master" else (after, until, load.as_of)
    found = await connection.fetch(SQL[f"fresh_{kind}s"], *arguments)
    await _save_totals(connection, load, kind, found)
    return [row["id"] for row in found]


async def _save_totals(connection: Connection, load: Load, kind: str, found: Sequence[Any]) -> None:
    ids, totals = [row["id"] for row in found], [row["total"] for row in found]
    await connection.execute(SQL["save_totals"], load.load_id, kind, ids, totals, load.as_of)


async def add_releases(connection: Connection, load: Load, release_ids: Iterable[int]) -> None:
    """Note releases whose owners have to hear of them."""
    await connection.execute(SQL["add_releases"], load.load_id, list(release_ids))


async def changes(connection: Connection, load: Load) -> tuple[int, int]:
    """How many releases, and how many totals, the load has changed for their owners."""
    row = await connection.fetchrow(SQL["changes"], load.load_id)
    return (row[0], row[1]) if row else (0, 0)


async def finish(connection: Connection, load: Load) -> None:
    """Announce what has changed, when no bundle is left that saw the catalogue as it was; the load is over."""
    await connection.execute(SQL["bar_catalogue"], CATALOGUE_LOCK)
    await connection.execute(SQL["announce"], load.load_id)
    await connection.execute(SQL["finish"], load.load_id)
