"""The log of acts: for good, but for the names of who was deleted; and who may write it."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from services.manual import acts
from services.stores import ledger
from services.stores.postgres import Connection
from services.worker.bundle import process
from tests.integration.by_hand.world import CATALOG, GENRES, REVIEW, act, log_rows, messages
from tests.model import lab
from tests.model.events import event, minutes
from tests.model.lab import Log


async def test_a_deletion_takes_the_user_out_of_the_log(connection: Connection, ada: Log) -> None:
    await acts.grant(connection, CATALOG, act(reason="for ada of all people"))
    await acts.revoke(connection, CATALOG, act(REVIEW))
    await acts.grant(connection, CATALOG, act(("ada", "reviewer-iii", ""), at=datetime(2027, 5, 1, tzinfo=UTC)))
    ada.append(event("user.deleted", "gone", {}, time=datetime(2027, 1, 1, tzinfo=UTC)))
    await lab.drain(connection, lab.knowledge(), ada)
    entries = await log_rows(connection)
    assert [(one.act, one.by, one.badge_key) for one in entries] == [
        ("grant", "chief", GENRES[1]),
        ("revoke", "chief", REVIEW[1]),
        ("grant", "chief", "reviewer-iii"),
    ]
    hashes = {one.user_hash for one in entries}
    assert hashes == {await connection.fetchval("select encode(user_hash, 'hex') from erased")}
    for one in entries:
        assert (one.user_id, one.context, one.award_id, one.reason, one.before, one.after) == (None,) * 6
    # Of a user of whom nothing is left, also the award that was given after the deletion's time is gone.
    assert await lab.awards_of(connection) == {}
    assert await messages(connection) == []


async def test_a_deletion_leaves_what_is_newer(connection: Connection, ada: Log) -> None:
    """An award by hand from after the deletion stands where newer events stand, and what is told of it stays told."""
    ada.append(event("compare.used", "c", {"compare_id": "new"}, time=minutes(60)))
    await lab.drain(connection, lab.knowledge(), ada)
    await acts.grant(connection, CATALOG, act(at=minutes(20)))
    done = await acts.grant(connection, CATALOG, act(("ada", "deep-cut", ""), at=minutes(61)))
    await acts.revoke(connection, CATALOG, act(("ada", "deep-cut", ""), at=minutes(62)))
    ada.append(event("user.deleted", "gone", {}, time=minutes(30)))
    await lab.drain(connection, lab.knowledge(), ada)
    assert {name[1] for name in await lab.awards_of(connection)} == {"comparer-i", "deep-cut"}
    names = [name for _, name, _ in await messages(connection)]
    assert names[-2:] == [f"{done.award.award_id}:1", f"{done.award.award_id}:1:revoked"]
    assert [one.user_id for one in await log_rows(connection)] == [None, "ada", "ada"]
    # Given again after the deletion it is another award.
    again = await acts.grant(connection, CATALOG, act())
    first = (await log_rows(connection))[-1]
    assert again.award.revision == 1
    assert first.award_id == again.award.award_id
    assert isinstance(again.award.award_id, UUID)


async def test_nobody_changes_the_log(connection: Connection, ada: Log, database: str) -> None:
    await acts.grant(connection, CATALOG, act())
    owner = await asyncpg.connect(database)
    for statement in (
        "delete from award_log",
        "update award_log set reason = 'another'",
        "update award_log set user_id = 'bob'",
        "update award_log set user_id = null, user_hash = '\\x00', context = null, award_id = null, reason = null,"
        " before = null, after = null, by = 'nobody'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    for role in ("gatefold_worker", "gatefold_relay", "gatefold_graph", "gatefold_api", "gatefold_admin"):
        await owner.execute(f"set role {role}")
        for statement in ("delete from award_log", "update award_log set reason = 'x'", "truncate award_log"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await owner.execute(statement)
        forget = owner.execute("select award_log_forget('ada', '\\x00', now())")
        if role == "gatefold_worker":
            await forget
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await forget
        await owner.execute("reset role")
    await owner.close()


async def test_each_role_can_do_its_part(connection: Connection, ada: Log, database: str) -> None:
    """Acts as gatefold_admin, the deletion as gatefold_worker."""
    await connection.execute("set role gatefold_admin")
    await acts.grant(connection, CATALOG, act())
    await acts.edit(connection, CATALOG, act(), {"hidden": True})
    await acts.revoke(connection, CATALOG, act())
    await acts.grant(connection, CATALOG, act())
    for statement in ("delete from user_badges", "select * from outbox", "update user_badges set evidence = '{}'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.execute("set role gatefold_worker")
    gone = ada.append(event("user.deleted", "gone", {}, time=datetime(2027, 1, 1, tzinfo=UTC)))
    await ledger.open_partition(connection, "user.deleted", 0, 0, "worker")
    assert (await process(connection, lab.knowledge(), "user.deleted", 0, [gone.record])).processed == 1
    await connection.execute("reset role")
    assert [one.user_id for one in await log_rows(connection)] == [None] * 4
