"""What a bundle promises: cut the log as you like, read topics in any order, repeat what you like."""

import random
from collections import defaultdict
from typing import Any

import pytest

from services.stores.postgres import Connection
from tests.model import lab, pools
from tests.model.events import added, event, history, minutes, removed
from tests.model.lab import Log, relay_sweeps


async def published(connection: Connection) -> dict[str, list[Any]]:
    """The messages of each user's awards and sweeps, in their order."""
    rows = await connection.fetch("select * from outbox where topic <> 'event.rejected' order by id")
    found = defaultdict(list)
    for row in rows:
        found[row["subject"]].append((row["topic"], row["event_id"], row["time"], row["value"]))
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_cut_does_not_matter(connection: Connection, seed: int) -> None:
    results = []
    for size in (1, 7, 500):
        await lab.clear(connection)
        log = Log()
        for number, one in enumerate(history(seed, 160)):
            log.append(one, number % 2)
            if number % 20 == 0:
                log.poison(one["type"], number % 2, one["subject"].encode(), b"{")
        await lab.drain(connection, lab.knowledge(), log, size)
        result = (await lab.awards_of(connection), await lab.state_of(connection), await published(connection))
        assert len(result[0]) > 40
        results.append(result)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("seed", range(6))
async def test_topics_may_be_read_in_any_order(connection: Connection, seed: int) -> None:
    """Also relative to a deletion, and to what the catalogue learns: the final state is the same."""
    past = history(11, 90)
    for user, time in zip(pools.USERS, pools.TIMES[2:5], strict=True):
        past.append(event("user.deleted", f"gone-{user}", {}, user=user, time=time))
    states = []
    for order in (seed, seed + 100):
        dice = random.Random(order)
        await lab.clear(connection)
        log, known = Log(), lab.knowledge()
        for one in past:
            log.append(one)
        while places := log.waiting():
            place = dice.choice(places)
            start, size = log.delivered[place], dice.randint(1, 9)
            entries = log.partitions[place][start : start + size]
            await lab.apply(connection, known, place, entries)
            log.delivered[place] += len(entries)
            if dice.random() < 0.3:
                await relay_sweeps(connection, log)
            if not log.waiting():
                await relay_sweeps(connection, log)
        state = await lab.state_of(connection)
        assert await lab.drift_of(connection, state) == {}
        states.append(state)
    assert states[0] == states[1]
    assert set(states[0]) == set(pools.USERS)


async def test_an_added_and_its_removed_in_either_order(connection: Connection) -> None:
    came, went = added("a", (1, {"id": 5, "genres": ["Rock"]})), removed("b", 1, time=minutes(1))
    for user, order in (("first-came", (came, went)), ("first-went", (went, came))):
        log = Log()
        for one in order:
            log.append({**one, "id": one["id"] + user, "subject": user}, 0 if user == "first-came" else 1)
            await lab.drain(connection, lab.knowledge(), log)
    states = await lab.state_of(connection)
    assert states["first-came"] == states["first-went"]
    assert states["first-came"]["releases"] == 0


async def test_a_target_that_is_touched_for_one_event_is_earned(connection: Connection) -> None:
    log = Log()
    genres = [(at, {"id": at, "title": f"T{at}", "genres": [f"G{at}"]}) for at in range(1, 6)]
    for at, owned in enumerate(genres, 1):
        log.append(added(f"e{at}", owned, time=minutes(at)))
    log.append(added("e6", (5, genres[0][1]), time=minutes(6)))
    await lab.drain(connection, lab.knowledge(), log)
    assert (await lab.state_of(connection))["ada"]["genres"] == 4
    award = (await lab.awards_of(connection))["ada", "genre-tourist-bronze", ""]
    assert award["awarded_at"] == "2026-03-01T12:05:00Z"
    assert award["evidence"] == {
        "metric": "genres",
        "value": 5,
        "target": 5,
        "earned_with": {"release_id": 5, "title": "T5"},
    }


async def test_a_target_that_is_touched_inside_one_event_is_not(connection: Connection) -> None:
    log = Log()
    releases = [{"id": at, "genres": [f"G{at}"]} for at in range(1, 6)]
    log.append(added("e1", *enumerate(releases, 1), (5, releases[0])))
    await lab.drain(connection, lab.knowledge(), log)
    assert (await lab.state_of(connection))["ada"]["genres"] == 4
    assert ("ada", "genre-tourist-bronze", "") not in await lab.awards_of(connection)


async def test_an_identity_counts_once_wherever_it_comes_from(connection: Connection) -> None:
    log = Log()
    log.append(event("review.approved", "same", {"review_id": "r1"}))
    log.append(event("review.approved", "same", {"review_id": "r1"}))  # a new offset
    log.append(event("review.approved", "same", {"review_id": "r2"}), 1)  # another partition, other data
    log.append(event("edit.approved", "same", {"edit_id": "e1"}, user="ben"))  # another topic, another user
    log.append({**event("review.approved", "same", {"review_id": "r3"}), "source": "/elsewhere"})
    places = (("review.approved", 0), ("review.approved", 1), ("edit.approved", 0))
    done = [await lab.apply(connection, lab.knowledge(), place, log.partitions[place]) for place in places]
    states = await lab.state_of(connection)
    assert states.keys() == {"ada"}
    assert states["ada"]["reviews"] == 2
    assert [(one.processed, one.duplicate, one.conflicting) for one in done] == [(2, 1, 0), (0, 1, 1), (0, 1, 1)]


async def test_a_dead_letter_uses_up_no_identity(connection: Connection) -> None:
    log = Log()
    log.append(event("review.approved", "one", {"review_id": 1}))
    log.append(event("review.approved", "one", {"review_id": "1"}))
    (done,) = await lab.drain(connection, lab.knowledge(), log)
    assert (done.dead, done.processed, done.duplicate) == (1, 1, 0)


async def test_evidence_names_nothing_that_came_later(connection: Connection) -> None:
    """All of a bundle's new records are stored before its first event is played: they are not owned yet."""
    year = 525_600
    bundle = [  # the oldest record turns sixty while another comes, and only then one as old with a smaller number
        added("e1", (1, {"id": 60, "title": "No. 60", "year": 1967})),
        added("e2", (2, {"id": 50, "title": "No. 50", "year": 2000}), time=minutes(year)),
        added("e3", (3, {"id": 40, "title": "No. 40", "year": 1967}), time=minutes(year + 1)),
    ]
    for cuts in ([bundle], [bundle[:1], bundle[1:]], [[one] for one in bundle]):
        await lab.clear(connection)
        log = Log()
        for part in cuts:
            for one in part:
                log.append(one)
            await lab.drain(connection, lab.knowledge(), log)
        award = (await lab.awards_of(connection))["ada", "vinyl-archaeologist-platinum", ""]
        assert award["evidence"]["oldest"] == {"release_id": 60, "title": "No. 60", "year": 1967}


async def test_what_is_new_beside_what_is_not(connection: Connection) -> None:
    """Copies and releases that the bundle speaks of twice, or that stood before it, beside new ones."""
    labelled = {"labels": [{"id": 7, "name": "Blue Note"}], "artists": [{"id": 9, "name": "Ann"}]}
    pressings = [{"id": number, **labelled, **({"master_id": 5} if number % 2 else {})} for number in range(1, 9)]
    before = [added("before", (1, pressings[0]), (2, pressings[1]))]
    bundle = [
        added("again", (1, pressings[0]), time=minutes(1)),  # a copy that stands
        added("second", (3, pressings[1]), time=minutes(2)),  # another copy of a release that stands
        added("new", (4, pressings[2]), (5, pressings[3]), time=minutes(3)),
        added("other", (6, pressings[4]), (6, pressings[5]), time=minutes(4)),  # one copy, of two releases
        added("twice", (7, pressings[6]), (8, pressings[6]), time=minutes(5)),  # two copies of one release
        {**added("alone", (1, pressings[7]), time=minutes(6)), "subject": "bob"},
    ]
    states = []
    for size in (1, 500):
        await lab.clear(connection)
        log = Log()
        for one in before:
            log.append(one)
        await lab.drain(connection, lab.knowledge(), log, size)
        for one in bundle:
            log.append(one)
        await lab.drain(connection, lab.knowledge(), log, size)
        states.append((await lab.state_of(connection), await lab.awards_of(connection)))
        assert await lab.drift_of(connection, states[-1][0]) == {}
    assert states[0] == states[1]
