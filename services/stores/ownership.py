"""Copies, owned releases and the counts without a bound, loaded and saved by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.state.collector import Collector, Credits, Unbounded
from services.state.facets import MASTER
from services.state.facts import Facts, Stamp, Statement, facts_of
from services.state.holdings import EMPTY, Copy, Holding
from services.stores import facts
from services.stores.postgres import Connection
from services.stores.queries import column, columns, document, statements

SQL = statements("ownership")
NO_STAMP: Final = (None, None, None)

Key = tuple[str, int]  # user and instance, or user and release
CountKey = tuple[str, bytes, int]  # user, facet, value


def statement_in(
    content: str | None, stated_at: datetime | None, by_id: str, by_source: str, stored: str | None
) -> Statement:
    """The statement in these columns; `stored` are the stamps of its fields, where they differ."""
    if content is None or stated_at is None:
        return Statement()
    stamps = None
    if stored is not None:
        parts = json.loads(stored)
        stamps = {name: Stamp(datetime.fromisoformat(at), id_, source) for name, (at, id_, source) in parts.items()}
    return Statement(facts_of(content), Stamp(stated_at, by_id, by_source), stamps)


def _copy(row: Any) -> Copy:
    _, _, release, present, at, by_id, by_source, added_on = row
    return Copy(release, present, Stamp(at, by_id, by_source), added_on)


def _holding(row: Any) -> Holding:
    # By place: a name is looked up for each of a collector's records.
    _, release, copies, facts_id, content, first_pressing, stated_id, stated, at, by_id, by_source, stamps = row
    statement = statement_in(stated, at, by_id, by_source, stamps)
    counted = None
    if copies:
        # Nearly always what the user said: the same row, and then the same bytes.
        same = facts_id == stated_id and statement.stamp is not None
        counted = statement.facts.content if same else EMPTY if content is None else content.encode()
    return Holding(release, copies, counted, first_pressing, statement)


async def load_copies(connection: Connection, keys: Iterable[Key]) -> dict[Key, Copy]:
    """Copies and tombstones by user and instance."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    found = await connection.fetch(SQL["load_owned"], *columns(wanted))
    return {(row["user_id"], row["instance_id"]): _copy(row) for row in found}


async def load_holdings(connection: Connection, keys: Iterable[Key]) -> dict[Key, Holding]:
    """Owned releases by user and release."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    found = await connection.fetch(SQL["load_releases"], *columns(wanted))
    return {(row["user_id"], row["release_id"]): _holding(row) for row in found}


Counted = tuple[Unbounded, Credits]


async def load_counts(connection: Connection, keys: Iterable[CountKey]) -> dict[str, Counted]:
    """Counts of labels, artists and masters with the credits of these masters, by user."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    users, facets, values = zip(*wanted, strict=True)
    found = await connection.fetch(
        SQL["load_counts"], column(users), column([facet.decode() for facet in facets]), column(values)
    )
    return _counts(found)


def _counts(stored: Iterable[Any]) -> dict[str, Counted]:
    found: dict[str, Counted] = {}
    for user, facet, value, number, artists in stored:
        counts, credits = found.setdefault(user, ({}, {}))
        counts[facet, value] = number
        if artists:
            credits[value] = dict(zip(artists[::2], artists[1::2], strict=True))
    return found


async def add_copies(connection: Connection, copies: Mapping[Key, Copy]) -> set[Key]:
    """Write copies of which nothing was said before; answers which ones these are."""
    if not copies:
        return set()
    return {(user, instance) for user, instance in await connection.fetch(SQL["add_owned"], *_owned(copies))}


async def save_copies(connection: Connection, copies: Mapping[Key, Copy]) -> None:
    """Write copies and tombstones, sorted by key."""
    if copies:
        await connection.execute(SQL["save_owned"], *_owned(copies))


def _owned(copies: Mapping[Key, Copy]) -> list[str]:
    return columns(
        [
            (*key, copies[key].release_id, copies[key].present, *copies[key].stamp, copies[key].added_on)
            for key in sorted(copies)
        ]
    )


async def add_holdings(connection: Connection, holdings: Mapping[Key, Holding], ids: facts.Ids) -> set[Key]:
    """Write releases of which a user has said nothing before; answers which ones these are."""
    if not holdings:
        return set()
    found = await connection.fetch(SQL["add_releases"], *_owned_releases(holdings, ids))
    return {(user, release) for user, release in found}


async def save_holdings(connection: Connection, holdings: Mapping[Key, Holding]) -> None:
    """Write owned releases with the facts they count and state, sorted by key."""
    if not holdings:
        return
    contents: set[facts.Content] = set()
    for (_, release), holding in holdings.items():
        contents.add((release, holding.statement.facts.content))
        contents.add((release, holding.counted or EMPTY))
    ids = await facts.ids_of(connection, contents)
    await connection.execute(SQL["save_releases"], *_owned_releases(holdings, ids))


def _owned_releases(holdings: Mapping[Key, Holding], ids: facts.Ids) -> list[str]:
    return columns([_owned_release(key, holdings[key], ids) for key in sorted(holdings)])


def _owned_release(key: Key, holding: Holding, ids: facts.Ids) -> tuple[Any, ...]:
    user, release = key
    statement = holding.statement
    return (
        user,
        release,
        holding.copies,
        ids[release, holding.counted or EMPTY],
        holding.first_pressing,
        ids[release, statement.facts.content],
        *(statement.stamp or NO_STAMP),
        None if statement.stamps is None else document(statement.stamps),
    )


async def add_counts(connection: Connection, more: Mapping[CountKey, int]) -> dict[CountKey, int]:
    """Raise counts of labels and artists by so much; answers what they are then."""
    if not more:
        return {}
    rows = [(user, facet.decode(), value, more[user, facet, value]) for user, facet, value in sorted(more)]
    found = await connection.fetch(SQL["add_counts"], *columns(rows))
    return {(user, facet, value): number for user, facet, value, number in found}


async def save_counts(
    connection: Connection, collectors: Iterable[Collector], stored: Mapping[CountKey, int] | None = None
) -> None:
    """Write what changed of these users' counts of labels, artists and masters, sorted by key, but what is `stored`."""
    known = stored or {}
    changed = [
        _count(collector, facet, value)
        for collector in collectors
        for facet, value in collector.unbounded_changed
        if known.get((collector.user_id, facet, value)) != collector.unbounded[facet, value]
    ]
    if changed:
        await connection.execute(SQL["save_counts"], *columns(sorted(changed)))


def _count(collector: Collector, facet: bytes, value: int) -> tuple[Any, ...]:
    artists = None
    if facet == MASTER and (credited := collector.credits.get(value)):
        artists = f"{{{','.join(f'{artist},{number}' for artist, number in sorted(credited.items()))}}}"
    return collector.user_id, facet.decode(), value, collector.unbounded[facet, value], artists


async def oldest(connection: Connection, user_id: str, year: int) -> dict[int, Facts]:
    """Releases of pressing year `year` that are counted for a user, as stored."""
    stored = await connection.fetch(SQL["oldest"], user_id, str(year))
    found = {row["release_id"]: facts_of(row["content"]) for row in stored}
    return {release_id: said for release_id, said in found.items() if said.pressing_year() == year}


async def copies_of(connection: Connection, user_id: str) -> dict[int, Copy]:
    """All copies and tombstones of a user, by instance."""
    return (await copies_of_each(connection, [user_id]))[user_id]


async def copies_of_each(connection: Connection, user_ids: Sequence[str]) -> dict[str, dict[int, Copy]]:
    """All copies and tombstones of users, by instance."""
    found: dict[str, dict[int, Copy]] = {user: {} for user in user_ids}
    for row in await connection.fetch(SQL["copies_of"], user_ids):
        found[row[0]][row[1]] = _copy(row)
    return found


async def holdings_of(connection: Connection, user_id: str) -> dict[int, Holding]:
    """All releases that a user owns or has spoken of."""
    return (await holdings_of_each(connection, [user_id]))[user_id]


async def holdings_of_each(connection: Connection, user_ids: Sequence[str]) -> dict[str, dict[int, Holding]]:
    """All releases that users own or have spoken of."""
    found: dict[str, dict[int, Holding]] = {user: {} for user in user_ids}
    for row in await connection.fetch(SQL["releases_of"], user_ids):
        found[row[0]][row[1]] = _holding(row)
    return found


async def counts_of(connection: Connection, user_id: str) -> Counted:
    """All counts of labels, artists and masters of a user; zeros are not counts."""
    return (await counts_of_each(connection, [user_id]))[user_id]


async def counts_of_each(connection: Connection, user_ids: Sequence[str]) -> dict[str, Counted]:
    """All counts of labels, artists and masters of users; zeros are not counts."""
    found = _counts(await connection.fetch(SQL["counts_of"], user_ids))
    kept: dict[str, Counted] = {}
    for user in user_ids:
        counts, credits = found.get(user, ({}, {}))
        kept[user] = {key: number for key, number in counts.items() if number}, credits
    return kept


async def replace_counts(connection: Connection, collector: Collector) -> None:
    """Write all counts of a user anew; the collector holds them all as changed."""
    await connection.execute(SQL["forget_counts"], collector.user_id)
    await save_counts(connection, [collector])
