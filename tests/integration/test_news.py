"""News of the catalogue: owners are told in pages, once each, and nobody waits for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from services.relay.news import PAGE, Teller
from services.settings import Settings
from services.stores import catalogue, ledger, news, outbox
from services.stores.postgres import Connection
from services.worker.bundle import process
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log

OWNERS = 100_000
SWEEPS = "select event_id, subject, time from outbox where topic = 'cron.sweep' order by id"


@pytest.fixture
async def other(database: str) -> AsyncIterator[Connection]:
    """A second connection."""
    found = await lab.worker_connection(database)
    yield found
    await found.close()


async def crowd(connection: Connection, release: int, owners: int) -> None:
    """Users who own one release of which nothing is known."""
    await connection.execute(
        "with known as (insert into collector (user_id, releases)"
        " select 'fan-' || lpad(n::text, 6, '0'), 1 from generate_series(1, $2::integer) n returning user_id)"
        " insert into owned_release (user_id, release_id, copies) select user_id, $1, 1 from known",
        release,
        owners,
    )


async def describe(connection: Connection, known: Any, *said: dict[str, Any]) -> None:
    """`release.described` in one bundle, and nobody is told yet."""
    log = Log()
    entries = [
        log.append(event("release.described", f"d{at}", one, user=str(one["id"]))) for at, one in enumerate(said)
    ]
    place = ("release.described", 0)
    await ledger.open_partition(connection, *place, 0, known.owner)
    done = await process(connection, known, *place, [entry.record for entry in entries])
    assert done.processed == len(said)


async def test_a_hundred_thousand_owners_block_nothing(connection: Connection, other: Connection) -> None:
    known = lab.knowledge()
    await crowd(connection, 5, OWNERS)
    await connection.execute("insert into owned_release (user_id, release_id, copies) values ('zed', 6, 1)")
    await describe(connection, known, {"id": 5, "genres": ["Jazz"]})
    assert await connection.fetch(SWEEPS) == [], "the worker's transaction tells nobody"
    assert await connection.fetchval("select count(*) from news") == 1

    # While a page is being written, the users it tells go on.
    async with other.transaction():
        told = await news.tell(other, PAGE)
        assert told is not None
        assert (told.users, told.sweeps) == (PAGE, PAGE)
        log = Log()
        log.append(added("more", (1, {"id": 5}), user="fan-000001", time=minutes(1)))
        await asyncio.wait_for(lab.drain(connection, known, log), 10)
    pages = 1
    while (told := await news.tell(connection, PAGE)) is not None:
        assert told.users <= PAGE
        pages += 1
    assert pages == OWNERS // PAGE + 1
    users = [row["subject"] for row in await connection.fetch(SWEEPS)]
    assert users == sorted(users)
    assert len(set(users)) == len(users) == OWNERS
    assert await connection.fetchval("select count(*) from news") == 0


async def test_who_is_told_already_is_not_told_again_after_a_crash(connection: Connection, other: Connection) -> None:
    await crowd(connection, 5, 7)
    await describe(connection, lab.knowledge(), {"id": 5, "genres": ["Jazz"]})
    await news.tell(connection, 3)
    transaction = other.transaction()
    await transaction.start()
    await news.tell(other, 3)
    assert await news.tell(connection, 3) is None, "the news are in other hands"
    other.terminate()
    async with asyncio.timeout(20):  # PostgreSQL notices in its own time that the others are gone
        while await connection.fetchval("select count(*) from news"):
            await news.tell(connection, 3)
    assert [row["subject"] for row in await connection.fetch(SWEEPS)] == [f"fan-00000{n}" for n in range(1, 8)]


async def test_only_owners_for_whom_something_else_counts_are_told(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    release = {"id": 5, "genres": ["Jazz"], "title": "T"}
    log.append(added("1", (1, release), user="knows-it", time=minutes(1)))
    log.append(added("2", (1, {"id": 5, "title": "T"}), user="knows-less", time=minutes(1)))
    log.append(added("3", (1, {"id": 9}), user="has-another", time=minutes(1)))
    await lab.drain(connection, known, log)
    await describe(connection, known, release, {"id": 77, "genres": ["Rock"]})
    assert await connection.fetchval("select count(*) from news") == 1, "nobody owns 77"
    while await news.tell(connection, 100) is not None:
        pass
    (row,) = await connection.fetch(SWEEPS)
    assert row["subject"] == "knows-less"
    assert row["event_id"].endswith(":knows-less")
    assert row["time"] == event("x", "x", {})["time"]


async def test_a_load_is_told_to_whom_it_concerns(connection: Connection) -> None:
    known, log = lab.knowledge(), Log()
    label = [{"id": 500, "name": "L"}]
    artist = [{"id": 600, "name": "A"}]
    for user, release in {
        "a-release": {"id": 1},
        "b-label": {"id": 2, "labels": label},
        "c-artist": {"id": 3, "artists": artist},
        "d-nothing": {"id": 4, "labels": [{"id": 501, "name": "M"}], "artists": [{"id": 500, "name": "B"}]},
        "e-sold": {"id": 1},
    }.items():
        log.append(added(user, (1, release), user=user))
    log.append(event("ownership.removed", "sold", {"items": [{"instance_id": 1}]}, user="e-sold", time=minutes(1)))
    await lab.drain(connection, known, log)
    await connection.execute("insert into load_release values (7, 1), (8, 4)")
    await connection.execute("insert into load_total values (7, 'label', 500), (7, 'artist', 600), (8, 'label', 501)")
    await connection.execute("insert into news (cause, time, load_id) values ('loaded:7', now(), 7)")
    pages = 0
    while await news.tell(connection, 2) is not None:
        pages += 1
    assert pages == 3
    sent = await connection.fetch(SWEEPS)
    assert [row["event_id"] for row in sent] == [f"loaded:7:{user}" for user in ("a-release", "b-label", "c-artist")]
    assert await connection.fetch("select load_id, release_id from load_release") == [(8, 4)]
    assert [row["load_id"] for row in await connection.fetch("select load_id from load_total")] == [8]


async def test_what_a_load_changed_is_forgotten_in_pages(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole dump changes millions of releases: forgotten in one statement they would outlast its time for ever."""
    monkeypatch.setattr(news, "FORGOTTEN", 3)
    await crowd(connection, 1, 3)
    await connection.execute("insert into load_release select 7, n from generate_series(1, 7) n")
    await connection.execute("insert into load_total select 7, 'label', n from generate_series(1, 4) n")
    await connection.execute("insert into news (cause, time, load_id) values ('loaded:7', now(), 7)")
    left = []
    while await news.tell(connection, 2) is not None:
        left.append(tuple(await connection.fetchrow(
            "select (select count(*) from load_release where load_id = 7), (select count(*) from load_total"
            " where load_id = 7), (select count(*) from news)"
        )))  # fmt: skip
    assert left == [(7, 4, 1), (4, 4, 1), (1, 4, 1), (0, 1, 1), (0, 0, 0)]
    assert len(await connection.fetch(SWEEPS)) == 3, "nobody is told again meanwhile"


async def test_no_faster_than_set_and_not_while_much_waits(connection: Connection) -> None:
    await crowd(connection, 5, 1500)
    await describe(connection, lab.knowledge(), {"id": 5, "genres": ["Jazz"]})
    teller = Teller(Settings(news_rate=50))
    await connection.execute(
        "insert into outbox (topic, subject, event_id, time, value) select 'badge.awarded', 'u', n::text, now(), ''"
        " from generate_series(1, $1::integer) n",
        outbox.MOST_WAITING,
    )
    await teller.step(connection)
    assert await connection.fetch(SWEEPS) == []
    await connection.execute("delete from outbox where topic = 'badge.awarded'")
    assert await teller.step(connection) == PAGE / 50
    assert len(await connection.fetch(SWEEPS)) == PAGE
    assert await teller.step(connection) == 500 / 50


async def test_first_pressings_come_and_go_with_what_the_catalogue_learns(connection: Connection) -> None:
    """An earlier version turns up: who owned the earliest until then is swept, and keeps the award."""
    known, log = lab.knowledge(), Log()
    await describe(connection, known, {"id": 1, "title": "One", "master_id": 50, "released": "1971-03-00"})
    await connection.execute("insert into master (master_id) values (50)")
    await connection.execute("insert into catalogue_total values ('master', 50, 1, $1)", date(2025, 1, 1))
    await catalogue.date_masters(connection, [50])
    log.append(added("1", (1, {"id": 1})))
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["first_pressings"] == 1
    evidence = (await lab.awards_of(connection))["ada", "first-pressing", ""]["evidence"]
    assert evidence["first_pressing"] == {
        "release_id": 1, "title": "One", "master_id": 50, "date": "1971-03", "versions": 1,
    }  # fmt: skip

    later = event(
        "release.described", "e", {"id": 2, "master_id": 50, "released": "1971-02-28"}, user="2", time=minutes(5)
    )
    log.append(later, 1)
    await lab.drain(connection, known, log)
    (sweep,) = await connection.fetch(SWEEPS)
    assert (sweep["subject"], sweep["time"]) == ("ada", minutes(5))
    assert "+1:" in sweep["event_id"]
    assert await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["first_pressings"] == 0
    assert await lab.drift_of(connection, ["ada"]) == {}
    assert ("ada", "first-pressing", "") in await lab.awards_of(connection)

    # The release leaves the master: what was no first pressing of it is none of another either.
    gone = event("release.described", "f", {"id": 2, "master_id": 0}, user="2", time=minutes(6))
    log.append(gone, 1)
    await lab.drain(connection, known, log)
    assert await lab.relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["first_pressings"] == 1
    assert (
        json.loads(await connection.fetchval("select to_json(first_pressing) from release where release_id = 2"))
        is False
    )
