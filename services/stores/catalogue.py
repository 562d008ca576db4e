"""What the catalogue says of releases, for everybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.state.facts import NOTHING, Facts, Statement, facts_of, merge
from services.stores import facts
from services.stores.ownership import statement_in
from services.stores.postgres import Connection
from services.stores.queries import rows, statements

SQL = statements("catalogue")


async def load(connection: Connection, release_ids: Iterable[int]) -> dict[int, Statement]:
    """What is known of each release; nothing for those the catalogue does not have."""
    found = await connection.fetch(SQL["load"], list(release_ids))
    return {row["release_id"]: statement_in(row["content"], row) for row in found}


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
            }
            for release_id, statement in sorted(said.items())
            if (stamp := statement.stamp) is not None
        ),
    )


async def owners_to_tell(connection: Connection, release_id: int, known: Facts) -> list[str]:
    """Who owns a release for whom other facts are counted than should be, now that the catalogue says `known`."""
    owners = await connection.fetch(SQL["owners"], release_id)
    ids = {id_ for _, counted, stated in owners for id_ in (counted, stated) if id_ is not None}
    said: dict[int | None, Facts] = {None: NOTHING}
    for facts_id, content in await connection.fetch(SQL["contents"], list(ids)):
        said[facts_id] = facts_of(content)
    pairs = {(counted, stated) for _, counted, stated in owners}
    stale = {pair for pair in pairs if merge(known, said[pair[1]]) != said[pair[0]]}
    return [user for user, counted, stated in owners if (counted, stated) in stale]


async def date_masters(connection: Connection, master_ids: Iterable[int]) -> list[int]:
    """Date these masters by their versions and mark the first pressings: not flagged as a reissue, and nothing of the
    master is known to be earlier at the precision that both have; answers the releases that became or ceased to be one.

    Shape:   a master without a row gets none; without a row in `catalogue_total` none of its releases is marked.
    """
    found = await connection.fetch(SQL["date_masters"], list(master_ids))
    return [row["release_id"] for row in found]
