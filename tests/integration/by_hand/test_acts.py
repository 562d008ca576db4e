"""Awards by hand beside those that events earn: one of each, told once, written down."""

import json
from datetime import UTC, datetime
from itertools import pairwise

from services.manual import acts
from services.stores.outbox import count_holders
from services.stores.postgres import Connection
from tests.integration.by_hand.world import CATALOG, GENRES, NOW, REVIEW, act, everything, log_rows, messages
from tests.model import lab
from tests.model.events import event, minutes
from tests.model.lab import Log

HEARD = "select notify, given_no from user_badges where user_id = $1 and badge_key = $2 and context = $3"


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
    reviewed = await connection.fetchval("select given_no from user_badges where badge_key = 'reviewer-i'")
    assert 0 < reviewed < number < later
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
