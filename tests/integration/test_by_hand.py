"""Awards by hand beside those that events earn: one of each, told once, written down, all of an act or nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from catalog.index import load_catalog
from contracts.events.badge import BadgeAwarded, BadgeRevoked
from services.manual import acts
from services.manual.acts import Act, Unfit, Unknown
from services.stores import by_hand, ledger
from services.stores.outbox import count_holders
from services.stores.postgres import Connection
from services.worker.bundle import process
from tests.model import lab
from tests.model.events import event, minutes
from tests.model.lab import Log

CATALOG = load_catalog()
NOW = datetime(2026, 11, 21, 10, 0, 0, 250, tzinfo=UTC)
HEARD = "select notify, given_no from user_badges where user_id = $1 and badge_key = $2 and context = $3"
REVIEW = ("ada", "reviewer-i", "")
GENRES = ("ada", "genre-tourist-silver", "")


def act(name: tuple[str, str, str] = GENRES, reason: str = "she asked", **other: Any) -> Act:
    return Act(*name, reason, **({"by": "chief", "at": NOW} | other))


@pytest.fixture
async def ada(connection: Connection) -> Log:
    """A log in which a review has made ada known, and earned her a badge."""
    log = Log()
    log.append(event("review.approved", "r", {"review_id": "one"}, time=minutes(0)))
    await lab.drain(connection, lab.knowledge(), log)
    await connection.execute("delete from outbox")
    return log


async def messages(connection: Connection) -> list[tuple[str, str, dict[str, Any]]]:
    """Topic, CloudEvents id and data of what waits, oldest first; the bytes are those that are promised."""
    rows = await connection.fetch("select topic, subject, event_id, value from outbox order by id")
    for row in rows:
        data = json.loads(row["value"])
        model = BadgeAwarded if row["topic"] == "badge.awarded" else BadgeRevoked
        model.model_validate(data)
        assert row["value"] == json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert row["subject"] == data["user_id"]
    return [(row["topic"], row["event_id"], json.loads(row["value"])) for row in rows]


async def log_rows(connection: Connection) -> list[by_hand.Entry]:
    """What was done, the oldest first."""
    return (await by_hand.page_of_log(connection, None, None, None, 1000))[::-1]


async def everything(connection: Connection) -> list[str]:
    tables = ("user_badges", "outbox", "award_log", "collector")
    return [await connection.fetchval(f"select json_agg(t order by t::text)::text from {name} t") for name in tables]  # noqa: S608


async def test_granting_twice_is_one_award(connection: Connection, ada: Log) -> None:
    first = await acts.grant(connection, CATALOG, act())
    before = await everything(connection)
    second = await acts.grant(connection, CATALOG, act(reason="again", by="other", at=datetime.now(UTC)))
    assert await everything(connection) == before
    assert (first.outcome, second.outcome) == ("granted", "unchanged")
    assert first.award == second.award
    (told,) = await messages(connection)
    id_ = first.award.award_id
    assert told[:2] == ("badge.awarded", f"{id_}:1")
    assert told[2] | {"badge": None, "batch_id": None} == {
        "award_id": str(id_),
        "revision": 1,
        "user_id": "ada",
        "badge": None,
        "context": "",
        "awarded_at": "2026-11-21T10:00:00.000250Z",
        "source": "manual",
        "trigger": "manual",
        "caused_by": None,
        "batch_id": None,
        "highest_in_family": True,
        "notify": True,
        "evidence": {"reason": "she asked"},
    }
    (entry,) = await log_rows(connection)
    assert (entry.at, entry.by, entry.act, entry.user_id, entry.badge_key) == (NOW, "chief", "grant", *GENRES[:2])
    assert (entry.award_id, entry.revision, entry.reason, entry.before) == (id_, 1, "she asked", None)
    exported = (await lab.awards_of(connection))[GENRES]
    assert (exported["source"], exported["revoked_at"]) == ("manual", None)


async def test_the_message_is_that_of_the_worker_but_for_the_hand(connection: Connection) -> None:
    """What an event earns and what is given by hand differ in source, cause and evidence alone; ids are the same."""
    log = Log()
    log.append(event("review.approved", "r", {"review_id": "one"}, time=minutes(0)))
    await lab.drain(connection, lab.knowledge(), log)
    [(_, earned_id, earned)] = await messages(connection)
    await connection.execute("delete from outbox; delete from user_badges")
    await acts.grant(connection, CATALOG, act(REVIEW, at=minutes(0)))
    [(_, given_id, given)] = await messages(connection)
    assert given_id == earned_id
    differing = {name for name in earned if earned[name] != given[name]}
    assert differing == {"source", "trigger", "caused_by", "batch_id", "evidence"}
    assert given.keys() == earned.keys()


async def test_grant_revoke_grant(connection: Connection, ada: Log) -> None:
    """The same award, the same date; a revision more, and other ids for what is told."""
    first = await acts.grant(connection, CATALOG, act(), notify=False)
    quiet, number = await connection.fetchrow(HEARD, *GENRES)
    gone = await acts.revoke(connection, CATALOG, act(reason="not hers", at=minutes(90)))
    again = await acts.revoke(connection, CATALOG, act(reason="really", at=minutes(95)))
    back = await acts.grant(connection, CATALOG, act(reason="hers after all", by="other", at=minutes(100)))
    assert [one.outcome for one in (first, gone, again, back)] == ["granted", "revoked", "unchanged", "reinstated"]
    # Whoever looks at a page is told of it as of a new one, behind all that came before.
    heard, later = await connection.fetchrow(HEARD, *GENRES)
    assert (quiet, heard) == (False, True)
    assert (
        0
        < await connection.fetchval("select given_no from user_badges where badge_key = 'reviewer-i'")
        < number
        < later
    )
    id_ = first.award.award_id
    assert {one.award.award_id for one in (gone, again, back)} == {id_}
    assert (back.award.revision, back.award.revoked_at) == (2, None)
    assert (back.award.awarded_at, back.award.evidence) == (first.award.awarded_at, first.award.evidence)
    told = await messages(connection)
    assert [(topic, name) for topic, name, _ in told] == [
        ("badge.awarded", f"{id_}:1"),
        ("badge.revoked", f"{id_}:1:revoked"),
        ("badge.awarded", f"{id_}:2"),
    ]
    assert [data.get("notify") for _, _, data in told] == [False, None, True]
    assert told[1][2] == {
        "award_id": str(id_),
        "revision": 1,
        "user_id": "ada",
        "badge_key": GENRES[1],
        "context": "",
        "revoked_at": "2026-03-01T13:30:00Z",
        "by": "chief",
        "reason": "not hers",
    }
    assert await connection.fetchval("select array_agg(time order by id) from outbox") == [
        NOW,
        minutes(90),
        minutes(100),
    ]
    entries = await log_rows(connection)
    assert [(one.act, one.by, one.revision) for one in entries] == [
        ("grant", "chief", 1),
        ("revoke", "chief", 1),
        ("reinstate", "other", 2),
    ]
    for earlier, later in pairwise(entries):
        assert earlier.after is not None
        assert later.before is not None
        assert json.loads(earlier.after) == json.loads(later.before)


async def test_what_was_earned_and_revoked_comes_back_by_hand_alone(connection: Connection, ada: Log) -> None:
    """Neither its trigger nor a sweep gives a revoked award again; on top of one by hand nothing is given."""
    await acts.revoke(connection, CATALOG, act(REVIEW))
    known = lab.knowledge()
    ada.append(event("review.approved", "r2", {"review_id": "two"}, time=minutes(1)))
    ada.append(event("cron.sweep", "s", {}, time=minutes(2)))
    await lab.drain(connection, known, ada)
    assert [topic for topic, _, _ in await messages(connection)] == ["badge.revoked"]
    assert (await lab.awards_of(connection))[REVIEW]["revoked_at"] is not None

    back = await acts.grant(connection, CATALOG, act(REVIEW))
    assert (back.outcome, back.award.source, back.award.revision) == ("reinstated", "manual", 2)
    assert back.award.awarded_at == minutes(0)
    assert back.award.evidence["metric"] == "reviews"
    await acts.grant(connection, CATALOG, act(("ada", "reviewer-ii", "")))
    for number in range(3, 8):
        ada.append(event("review.approved", f"r{number}", {"review_id": f"{number}"}, time=minutes(number)))
    ada.append(event("cron.sweep", "s2", {}, time=minutes(9)))
    before = await connection.fetchval("select count(*) from outbox")
    await lab.drain(connection, known, ada)
    assert await connection.fetchval("select count(*) from outbox") == before
    awards = await lab.awards_of(connection)
    assert {name[1]: award["source"] for name, award in awards.items()} == {
        "reviewer-i": "manual",
        "reviewer-ii": "manual",
    }


async def test_the_highest_in_the_family(connection: Connection, ada: Log) -> None:
    async def highest(key: str) -> bool:
        await acts.grant(connection, CATALOG, act(("ada", key, "")))
        return bool((await messages(connection))[-1][2]["highest_in_family"])

    assert await highest("genre-tourist-gold")
    assert not await highest("genre-tourist-bronze")
    await acts.revoke(connection, CATALOG, act(("ada", "genre-tourist-gold", "")))
    assert await highest("genre-tourist-silver")


async def test_editing_moves_no_date_and_tells_nobody(connection: Connection, ada: Log) -> None:
    hide = await acts.edit(connection, CATALOG, act(REVIEW), {"hidden": True, "sort_override": 7})
    same = await acts.edit(connection, CATALOG, act(REVIEW), {"hidden": True})
    assert (hide.outcome, same.outcome) == ("changed", "unchanged")
    assert (hide.award.hidden, hide.award.sort_override, hide.award.revision) == (True, 7, 1)
    back = await acts.edit(connection, CATALOG, act(REVIEW), {"sort_override": None})
    assert (back.award.hidden, back.award.sort_override, back.award.source) == (True, None, "auto")
    assert await messages(connection) == []
    assert [one.act for one in await log_rows(connection)] == ["edit", "edit"]
    await count_holders(connection)
    assert await connection.fetchval("select holders from badge_holders where badge_key = 'reviewer-i'") == 1
    assert REVIEW in await lab.awards_of(connection)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (("ada", "no-such", ""), "There is no badge 'no-such'."),
        (("bob", "reviewer-i", ""), "Nothing is known of user 'bob'."),
    ],
)
async def test_what_is_not_there(connection: Connection, ada: Log, name: tuple[str, str, str], said: str) -> None:
    before = await everything(connection)
    for work in (acts.grant, acts.revoke):
        with pytest.raises(Unknown) as unknown:
            await work(connection, CATALOG, act(name))
        assert str(unknown.value) == said
    with pytest.raises(Unknown, match="was never given genre-tourist-silver"):
        await acts.revoke(connection, CATALOG, act(GENRES))
    with pytest.raises(Unknown, match="was never given label-loyalist-gold for label:5"):
        await acts.edit(connection, CATALOG, act(("ada", "label-loyalist-gold", "label:5")), {"hidden": True})
    assert await everything(connection) == before


@pytest.mark.parametrize(
    ("key", "context", "fits"),
    [
        ("label-loyalist-gold", "label:5", True),
        ("label-loyalist-gold", f"label:{2**63 - 1}", True),
        ("label-loyalist-gold", f"label:{2**63}", False),
        ("label-loyalist-gold", "label:05", False),
        ("label-loyalist-gold", "artist:5", False),
        ("label-loyalist-gold", "", False),
        ("reviewer-ii", "label:5", False),
        ("reviewer-ii", " ", False),
    ],
)
async def test_contexts(connection: Connection, ada: Log, key: str, context: str, fits: bool) -> None:
    name = ("ada", key, context)
    if fits:
        assert (await acts.grant(connection, CATALOG, act(name))).outcome == "granted"
    else:
        with pytest.raises(Unfit, match=key) as unfit:
            await acts.grant(connection, CATALOG, act(name))
        assert unfit.value.parameter == "context"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("reason", one) for one in ("", "  \n", "x" * 501, "a\0b", "\ud800")),
        *(("by", one) for one in ("", "x" * 65, "\0")),
        *(("user_id", one) for one in ("", "a b", "ada\n", "x" * 65)),
    ],
)
def test_acts_that_are_none(parameter: str, value: str) -> None:
    fields: dict[str, Any] = {"user_id": "ada", "badge_key": "reviewer-i", "context": "", "reason": "r", "by": "b"}
    assert Act(**fields, at=NOW)
    with pytest.raises(Unfit) as unfit:
        Act(**(fields | {parameter: value}), at=NOW)
    assert unfit.value.parameter == parameter


async def test_a_dry_run_keeps_nothing(connection: Connection, ada: Log) -> None:
    before = await everything(connection)
    done = await acts.grant(connection, CATALOG, act(dry_run=True))
    gone = await acts.revoke(connection, CATALOG, act(REVIEW, dry_run=True))
    hid = await acts.edit(connection, CATALOG, act(REVIEW, dry_run=True), {"hidden": True})
    assert [one.outcome for one in (done, gone, hid)] == ["granted", "revoked", "changed"]
    assert await everything(connection) == before


FAILING = {
    "raise": "raise exception 'no';",
    "kill": "perform pg_terminate_backend(pg_backend_pid());",
}


@pytest.fixture
async def broken_log(connection: Connection, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A log that cannot be written."""
    await connection.execute(
        "create function fails() returns trigger language plpgsql as"
        f" $$ begin {FAILING[request.param]} return new; end $$;"
        "create trigger fails before insert on award_log for each row execute function fails()"
    )
    yield
    await connection.execute("drop trigger fails on award_log; drop function fails")


@pytest.mark.parametrize("broken_log", ["raise", "kill"], indirect=True)
async def test_nothing_half_done(connection: Connection, ada: Log, broken_log: None, database: str) -> None:
    """Award and message are written before the log; where that fails, or the connection dies, none of them is."""
    before = await everything(connection)
    for work in (
        lambda one: acts.grant(one, CATALOG, act()),
        lambda one: acts.revoke(one, CATALOG, act(REVIEW)),
        lambda one: acts.edit(one, CATALOG, act(REVIEW), {"hidden": True}),
    ):
        other = await lab.worker_connection(database)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await work(other)
        await other.close(timeout=2)
    assert await everything(connection) == before


async def test_many_at_once(connection: Connection, ada: Log, database: str) -> None:
    """Ten grants while the worker earns the same badge: one award, one message, of whoever came first."""
    others = [await lab.worker_connection(database) for _ in range(10)]
    for number in range(2, 6):
        ada.append(event("review.approved", f"r{number}", {"review_id": f"{number}"}, time=minutes(number)))
    name = ("ada", "reviewer-ii", "")
    done = await asyncio.gather(
        *(acts.grant(one, CATALOG, act(name)) for one in others), lab.drain(connection, lab.knowledge(), ada)
    )
    for one in others:
        await one.close()
    given = [one.outcome for one in done[:-1] if isinstance(one, acts.Done)].count("granted")
    source = (await lab.awards_of(connection))[name]["source"]
    assert given == (source == "manual")
    assert [topic for topic, _, _ in await messages(connection)] == ["badge.awarded"]
    assert len(await log_rows(connection)) == given


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
