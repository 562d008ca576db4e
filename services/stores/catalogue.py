"""What the catalogue says, for everybody: of releases, and how large the catalogues of labels and artists are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from services.state.collector import Key, Total
from services.state.dates import issued, reissue
from services.state.facets import ARTIST, LABEL
from services.state.facts import Statement
from services.state.holdings import Entry
from services.stores import facts
from services.stores.ownership import statement_in
from services.stores.postgres import Connection
from services.stores.queries import column, rows, statements

SQL = statements("catalogue")


async def load(connection: Connection, release_ids: Iterable[int]) -> dict[int, Entry]:
    """What is known of each release; nothing for those the catalogue does not have."""
    found = await connection.fetch(SQL["load"], column(list(release_ids)))
    return {
        release: Entry(statement_in(content, *stamp), first_pressing)
        for release, _, content, first_pressing, *stamp in found
    }


async def save(connection: Connection, said: Mapping[int, Statement]) -> None:
    """Write what the catalogue says of these releases; needs the catalogue lock."""
    contents = {release_id: (release_id, statement.facts.content) for release_id, statement in said.items()}
    ids = await facts.resolve(connection, contents.values())
    await connection.execute(
        SQL["save"],
        rows(
            {
                "release_id": release_id,
                "facts_id": ids[contents[release_id]],
                "stated_at": stamp.time,
                "by_id": stamp.id,
                "by_source": stamp.source,
                "stamps": statement.stamps,
                "master_id": statement.facts.master_id or None,
                "issued": issued(statement.facts.released, statement.facts.year),
                "reissue": reissue(statement.facts.formats),
            }
            for release_id, statement in sorted(said.items())
            if (stamp := statement.stamp) is not None
        ),
    )


async def masters_of(connection: Connection, release_ids: Iterable[int]) -> set[int]:
    """The masters that the catalogue has these releases under."""
    return {row["master_id"] for row in await connection.fetch(SQL["masters"], list(release_ids))}


async def totals(connection: Connection, keys: Collection[Key]) -> dict[Key, Total]:
    """How large the catalogues of these labels and artists are, where that is known; other keys are passed over."""
    labels = [value for facet, value in keys if facet == LABEL and value > 0]
    artists = [value for facet, value in keys if facet == ARTIST]
    if not labels and not artists:
        return {}
    facets = {"label": LABEL, "artist": ARTIST}
    return {
        (facets[kind], id_): Total(total, as_of, name)
        for kind, id_, total, as_of, name in await connection.fetch(SQL["totals"], column(labels), column(artists))
    }


async def first_pressing(connection: Connection, release_id: int) -> dict[str, Any] | None:
    """What makes a release a first pressing: its date as far as known, and how many dated versions its master has."""
    row = await connection.fetchrow(SQL["first_pressing"], release_id)
    return None if row is None else dict(row)


async def date_masters(connection: Connection, master_ids: Iterable[int]) -> list[int]:
    """Date these masters by their versions and mark the first pressings: not flagged as a reissue, and nothing of the
    master is known to be earlier at the precision that both have; answers the releases that became or ceased to be one.

    Shape:   a master without a row gets none; without a row in `catalogue_total` none of its releases is marked.
    """
    found = await connection.fetch(SQL["date_masters"], list(master_ids))
    return [row["release_id"] for row in found]


async def facts_ids(connection: Connection, release_ids: Iterable[int]) -> dict[int, int]:
    """What the catalogue says now of these releases."""
    return {row["release_id"]: row["facts_id"] for row in await connection.fetch(SQL["facts_ids"], list(release_ids))}
