"""Facts of releases, one immutable row per distinct content, and the ids of the bounded facets' values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from services.state.facts import digest
from services.state.holdings import EMPTY
from services.stores.postgres import Connection
from services.stores.queries import column, statements

SQL = statements("facts")

Content = tuple[int, bytes]  # release id, canonical content
Ids = Mapping[Content, int | None]  # nothing known has no row


class FacetIds:
    """The ids of genres, styles, countries and formats, remembered: there are some hundreds."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}

    def __call__(self, facet: str, value: str) -> int:
        """The id of one value; KeyError where `ensure` has not seen it."""
        return self._ids[facet, value]

    def missing(self, values: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the values that have no id here yet."""
        return {value for value in values if value not in self._ids}

    async def ensure(self, connection: Connection, values: Iterable[tuple[str, str]]) -> None:
        """Give each value an id. Call it outside of a bundle's transaction: an id once given must stay."""
        wanted = sorted(await self.find(connection, values))
        if wanted:
            facets, names = [facet for facet, _ in wanted], [name for _, name in wanted]
            await connection.execute(SQL["add_values"], facets, names)
            await self.find(connection, wanted)

    async def find(self, connection: Connection, values: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Learn the ids of these values as far as they have one; answers those without."""
        wanted = sorted(self.missing(values))
        if wanted:
            rows = await connection.fetch(
                SQL["find_values"], [facet for facet, _ in wanted], [name for _, name in wanted]
            )
            self._ids.update({(row["facet"], row["value"]): row["id"] for row in rows})
        return self.missing(wanted)


async def resolve(connection: Connection, contents: Iterable[Content]) -> dict[Content, int]:
    """The id of each content, stored where it was not; sorted, so that writers never wait in a circle."""
    return await _ids(connection, contents, ["find", "add", "find"])


async def _ids(connection: Connection, contents: Iterable[Content], steps: Sequence[str]) -> dict[Content, int]:
    named = {(release_id, digest(content)): content for release_id, content in contents}
    keys = sorted(named)
    ids: dict[Content, int] = {}
    for statement in steps if keys else ():
        arguments: list[object] = [column([release for release, _ in keys]), [name for _, name in keys]]
        if statement == "add":
            arguments.append([named[key].decode() for key in keys])
        for facts_id, release, name in await connection.fetch(SQL[statement], *arguments):
            ids[release, named[release, name]] = facts_id
        keys = [key for key in keys if (key[0], named[key]) not in ids]
        if not keys:
            break
    return ids


async def known_ids(connection: Connection, contents: Set[Content]) -> Ids:
    """The ids of those of the contents that are stored."""
    silent = _silent(contents)
    return silent | await _ids(connection, contents - silent.keys(), ["find"])


async def ids_of(connection: Connection, contents: Set[Content]) -> Ids:
    """The id of each content, stored where it was not: or what was said would be lost in silence."""
    silent = _silent(contents)
    return silent | await resolve(connection, contents - silent.keys())


def _silent(contents: Set[Content]) -> dict[Content, int | None]:
    return dict.fromkeys(one for one in contents if one[1] == EMPTY)


async def prune(connection: Connection, release_ids: list[int]) -> None:
    """Drop facts of these releases that nobody refers to; needs the catalogue lock."""
    await connection.execute(SQL["prune"], release_ids)
