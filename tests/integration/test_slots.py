"""A worker's slot: the lowest free number, held as long as its connection lives, and never by two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.stack.ports import free_port
from services.worker import slot
from services.worker.slot import Slot


class TakenAwayError(Exception):
    """What a slot that is lost raises here; a worker ends."""


def lost(why: str) -> NoReturn:
    raise TakenAwayError(why)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(slot, "PATIENCE_SECONDS", 0.5)


async def ask(url: str, statement: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


HOLDERS = "select count(*) from pg_stat_activity where application_name = 'gatefold-worker-slot' and datname = $1"
END = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'gatefold-worker-slot'"


@asynccontextmanager
async def kept(one: Slot) -> AsyncIterator[None]:
    """The slot's connection looked after, as a worker does."""
    keeping = asyncio.create_task(one.keep())
    try:
        yield
        assert not keeping.done()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def wait_for_holders(url: str, number: int) -> None:
    for _ in range(200):
        if await ask(url, HOLDERS, url.rpartition("/")[2]) == number:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {number} connections hold slots")


async def test_the_lowest_free_number_is_taken(database: str) -> None:
    holders = [Slot(database, "a", lost) for _ in range(3)]
    for one in holders:
        await one.take()
    assert [one.instance_id for one in holders] == ["a-0", "a-1", "a-2"]
    other_group = Slot(database, "b", lost)
    await other_group.take()
    assert other_group.number == 0
    holders[1].close()
    await wait_for_holders(database, 3)
    successor = Slot(database, "a", lost)
    await successor.take()
    assert successor.instance_id == "a-1"
    for one in (*holders, other_group, successor):
        one.close()
    await wait_for_holders(database, 0)


async def test_a_lost_connection_is_replaced_and_the_number_kept(database: str, quick: None) -> None:
    one, second = Slot(database, "c", lost), Slot(database, "c", lost)
    await one.take()
    async with kept(one):
        for _ in range(3):
            await ask(database, END)
            await asyncio.sleep(0.2)
            await wait_for_holders(database, 1)
        await second.take()
        assert (one.number, second.number) == (0, 1)
    second.close()


async def test_who_loses_the_slot_to_another_gives_up(database: str, quick: None) -> None:
    one, thief = Slot(database, "d", lost), Slot(database, "d", lost)
    await one.take()
    one.close()  # and somebody else is quicker than its return
    await wait_for_holders(database, 0)
    await thief.take()
    assert thief.number == 0
    with pytest.raises(TakenAwayError, match="slot 0 of the group is held by another worker"):
        await asyncio.wait_for(one.keep(), 20)
    thief.close()


async def test_a_slot_is_waited_for_while_postgresql_is_away(database: str, quick: None) -> None:
    port = urlsplit(database).port
    early = Slot(database.replace(f":{port}/", f":{free_port()}/"), "e", lost)
    taking = asyncio.create_task(early.take())
    await asyncio.sleep(0.3)
    assert not taking.done()
    early._url = database
    await asyncio.wait_for(taking, 10)
    assert early.number == 0
    early.close()
