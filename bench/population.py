"""Users who own something already: a few grow through `process`, the rest are copies of their rows."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench import bundles, load
from bench.changes import tables
from bench.databases import database, session
from services.stores.postgres import Connection

PAGE_ITEMS: Final = 100
PAGES_A_BUNDLE: Final = 20
# Of the positions and messages of growing up nothing is left: measurements begin with an empty log.
FORGET: Final = "truncate offset_ledger, outbox, inbox"


@dataclass(frozen=True, slots=True)
class Group:
    """`users` of one kind, called `<name>-0000001` and so on, each with `records` records."""

    name: str
    users: int
    records: int
    models: int = 20

    def members(self) -> list[str]:
        """The names of the users."""
        return [f"{self.name}-{number:07d}" for number in range(1, self.users + 1)]


@contextlib.asynccontextmanager
async def populated(server: str, groups: Sequence[Group]) -> AsyncIterator[str]:
    """The address of a database in which these users live, to be copied; nobody may be connected to it then."""
    async with database(server) as url:
        async with session(url) as connection:
            await _raise_models(connection, groups)
            await connection.execute("set enable_seqscan = on; set enable_hashjoin = on")
            for group in groups:
                await _multiply(connection, group)
            await connection.execute(FORGET)
            await connection.execute("vacuum (freeze, analyze)")
        yield url


def _model(group: Group, number: int) -> str:
    return f"model-{group.name}-{number}"


async def _raise_models(connection: Connection, groups: Sequence[Group]) -> None:
    """Let the first users of each group add their records page by page."""
    choice = random.Random(7)
    pages: list[load.Sample] = []
    pool = len(load.releases())
    for group in groups:
        for number in range(min(group.models, group.users)):
            numbers = choice.sample(range(max(pool, group.records)), group.records)
            items = list(enumerate(numbers, 1))
            for start in range(0, len(items), PAGE_ITEMS):
                page = items[start : start + PAGE_ITEMS]
                pages.append(load.event(len(pages), _model(group, number), page, name=f"model-{len(pages)}"))
    await bundles.run(connection, bundles.cut(pages, PAGES_A_BUNDLE))


async def _multiply(connection: Connection, group: Group) -> None:
    """Give each user of the group the rows of a model, in order of users; the models go."""
    models = min(group.models, group.users)
    names = group.members()
    model_of = [_model(group, number % models) for number in range(group.users)]
    for table in await tables(connection):
        if "user_id" not in (table.columns[at] for at in table.keys):
            continue
        rest = ", ".join(f'"{column}"' for column in table.columns if column != "user_id")
        await connection.execute(
            f"insert into {table.name} (user_id, {rest}) select g.user_id, {rest} "  # noqa: S608 - names from the catalog
            "from unnest($1::text[], $2::text[]) as g (user_id, model) "
            f"join (select user_id as model, {rest} from {table.name}) m using (model)",
            names,
            model_of,
        )
        await connection.execute(
            f"delete from {table.name} where user_id = any($1::text[])",  # noqa: S608 - names from the catalog
            sorted(set(model_of)),
        )
