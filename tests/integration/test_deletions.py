"""Deletions and the news of the catalogue: what they leave, and that neither depends on who is read first."""

import base64

from services.stores import notices
from services.stores.notices import Told
from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import added, event, minutes, removed
from tests.model.lab import Log, relay_sweeps
from tests.model.oracle import SETS, Oracle


async def test_deletions_in_one_bundle(connection: Connection) -> None:
    """A later one, an earlier one, one of the same time, around events of three times."""
    log = Log()
    log.append(event("review.approved", "r", {"review_id": "old"}, time=minutes(5)))
    log.append(event("compare.used", "c", {"compare_id": "new"}, time=minutes(30)), 0)
    for name, time in (("d1", 20), ("d2", 10), ("d3", 20), ("d4", 25)):
        for user in ("ada", "nobody"):
            log.append(event("user.deleted", f"{name}{user}", {}, user=user, time=minutes(time)))
    model = Oracle()
    for place in log.waiting():
        for entry in log.partitions[place]:
            model.take(*place, entry.record.offset, entry.event)
    await lab.drain(connection, lab.knowledge(), log)
    assert await lab.state_of(connection) == model.state()
    assert model.state()["ada"]["compares"] == 1
    assert await connection.fetchval("select array_agg(distinct erased_at) from erased") == [minutes(25)]


async def test_a_deletion_takes_the_dead_letters_before_it_in_its_bundle(connection: Connection) -> None:
    for size in (1, 500):
        await lab.clear(connection)
        log = Log()
        log.poison("user.deleted", 0, b"ada", b"{")
        log.append(event("user.deleted", "d1", {}))
        log.poison("user.deleted", 0, b"ada", b"{")
        log.poison("user.deleted", 0, b"ben", b"{")
        done = await lab.drain(connection, lab.knowledge(), log, size)
        assert sum(one.dead for one in done) == 3
        kept = await connection.fetch('select "offset" from dead_letter order by 1')
        told = await connection.fetch("select subject from outbox order by 1")
        assert [row[0] for row in kept] == [2, 3]
        assert [row[0] for row in told] == ["user.deleted:0:2", "user.deleted:0:3"]


async def test_a_deletion_takes_what_the_notifier_knows_of_the_user(connection: Connection) -> None:
    log = Log()
    log.append(event("review.approved", "r", {"review_id": "one"}))
    await lab.drain(connection, lab.knowledge(), log)
    told = [Told(f"{user}-{n}", user, b"{}") for user in ("ada", "ben") for n in range(2)]
    await notices.gather(connection, told, quiet=9, patience=9)
    log.append(event("user.deleted", "d", {}, time=minutes(9)))
    await lab.drain(connection, lab.knowledge(), log)
    for table in ("notice", "notice_award"):
        assert {row[0] for row in await connection.fetch(f"select user_id from {table}")} == {"ben"}  # noqa: S608


async def test_news_of_the_catalogue_reaches_who_came_back(connection: Connection) -> None:
    """`release.described` is older than a deletion, and so is its sweep: what is counted must not depend on that."""
    states = []
    for late in (False, True):
        await lab.clear(connection)
        log, known = Log(), lab.knowledge()
        told = event("release.described", "d", {"id": 5, "styles": [f"S{n}" for n in range(10)]}, user="5")
        steps = [event("user.deleted", "x", {}, time=minutes(10)), added("a", (1, {"id": 5}), time=minutes(20))]
        for one in (*steps, told) if late else (told, *steps):
            log.append(one)
            await lab.drain(connection, known, log)
        assert await relay_sweeps(connection, log) == late
        await lab.drain(connection, known, log)
        awards = await lab.awards_of(connection)
        assert awards["ada", "style-explorer-bronze", ""]["awarded_at"] == "2026-03-01T12:20:00Z"
        states.append(await lab.state_of(connection))
    assert states[0] == states[1]


async def test_a_removal_counts_nothing_new(connection: Connection) -> None:
    """One of two copies goes while a sweep is under way: what is counted of the other waits for the sweep."""
    log, known = Log(), lab.knowledge()
    log.append(added("a", (1, {"id": 5}), (2, {"id": 5})))
    await lab.drain(connection, known, log)
    log.append(event("release.described", "d", {"id": 5, "genres": list("abcde")}, user="5", time=minutes(1)))
    await lab.drain(connection, known, log)
    log.append(removed("r", 1, time=minutes(2)))
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["genres"] == 0
    log.append(added("b", (3, {"id": 6, "genres": ["a"]}), time=minutes(3)))
    await lab.drain(connection, known, log)
    assert ("ada", "genre-tourist-bronze", "") not in await lab.awards_of(connection)
    assert await relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    award = (await lab.awards_of(connection))["ada", "genre-tourist-bronze", ""]
    assert (award["awarded_at"], award["evidence"]["value"]) == ("2026-03-01T12:01:00Z", 5)


async def test_a_sweep_is_an_event_like_any_other_however_long_its_cause_is_named(connection: Connection) -> None:
    log, known = Log(), lab.knowledge()
    log.append(added("a", (1, {"id": 5})))
    told = event("release.described", "d" * 4000, {"id": 5, "genres": list("abcde")}, user="5", time=minutes(1))
    await lab.drain(connection, known, log)
    log.append({**told, "source": "/" * 4000})
    await lab.drain(connection, known, log)
    assert await relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["genres"] == 5


async def everything(connection: Connection) -> dict[str, str]:
    """All rows of all tables as text, by table."""
    tables = await connection.fetch(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    found = {}
    for (table,) in tables:
        rows = await connection.fetchval(f"select json_agg(t)::text from {table} as t")  # noqa: S608 - our own tables
        found[table] = rows or ""
    return found


async def test_a_deletion_leaves_a_keyed_hash_and_nothing_else(connection: Connection) -> None:
    user, marker = "who@example.org", "Marker-Title"
    known, log = lab.knowledge(), Log()
    release = {"id": 7, "title": marker, "artists": [{"name": marker}], "master_id": 9, "year": 1960, "have": 3}
    release |= {"labels": [{"name": marker, "catno": marker}], "formats": [{"name": "Vinyl", "text": marker}]}
    log.append(added("a", (1, release), (2, {**release, "title": marker + "2"}), user=user))
    log.append(added("b", (1, {"id": 7, "title": marker + "3"}), user=user, time=minutes(1)))
    log.append(removed("c", 2, user=user, time=minutes(2)))
    log.append(event("wishlist.added", "d", {"release_ids": [990077]}, user=user))
    for topic, name in SETS.items():
        log.append(event(topic, topic, {name: marker}, user=user))
    log.append(event("user.joined", "j", {"joined_at": "2010-01-01"}, user=user))
    log.append(event("cron.sweep", "s", {}, user=user))
    log.append(event("release.described", "r", {"id": 7, "styles": ["Dub"]}, user="7"))
    for topic in ("ownership.added", "user.deleted", "cron.sweep"):
        log.poison(topic, 0, user.encode(), marker.encode())
    log.append(added("z", (1, {"id": 8, "title": "Another"}), user="ada"))
    await lab.drain(connection, known, log)
    before = await everything(connection)
    assert {"collector", "owned", "activity", "award", "outbox"} <= {name for name in before if user in before[name]}
    assert marker in before["facts"]

    log.append(event("user.deleted", "gone", {}, user=user, time=minutes(60)))
    await lab.drain(connection, known, log)
    log.append(added("late", (3, {"id": 7, "title": marker}), user=user, time=minutes(59)))
    log.append(event("review.approved", "late too", {"review_id": marker}, user=user, time=minutes(60)))
    await lab.drain(connection, known, log)
    traces = (user, marker, user.encode().hex(), marker.encode().hex(), base64.b64encode(marker.encode()).decode())
    after = await everything(connection)
    assert [(table, trace) for table, rows in after.items() for trace in traces if trace in rows] == []
    assert after["erased"].count("user_hash") == 1
    assert await lab.state_of(connection) == {"ada": (await lab.state_of(connection))["ada"]}


async def test_newer_events_and_what_they_earned_stay(connection: Connection) -> None:
    """Read before the deletion or after it: what is left is the same, and dated with the newest event left."""
    old = [event("review.approved", f"r{n}", {"review_id": f"r{n}"}, time=minutes(n)) for n in range(4)]
    new = [event("review.approved", f"n{n}", {"review_id": f"r{n}"}, time=minutes(20 + n)) for n in range(3, 6)]
    gone = event("user.deleted", "gone", {}, time=minutes(10))
    states = []
    for first in (True, False):
        await lab.clear(connection)
        log, known = Log(), lab.knowledge()
        for one in (gone, *old, *new) if first else (*old, *new, gone):
            log.append(one)
            await lab.drain(connection, known, log)
        states.append(await lab.state_of(connection))
        awards = {name[1]: award for name, award in (await lab.awards_of(connection)).items()}
        assert set(awards) == ({"reviewer-i"} if first else {"reviewer-i", "reviewer-ii"})
        assert awards["reviewer-i"]["awarded_at"] == f"2026-03-01T12:{23 if first else 25}:00Z"
        if not first:  # the fifth different review was approved after the deletion's time: it stands
            assert awards["reviewer-ii"]["awarded_at"] == "2026-03-01T12:24:00Z"
            assert awards["reviewer-ii"]["evidence"]["value"] == 5
            assert awards["reviewer-i"]["evidence"]["value"] == 3
    assert states[0] == states[1]
    assert states[0]["ada"]["reviews"] == 3
