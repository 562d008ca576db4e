"""The simulator gives what the worker gives, the same each time, and writes nothing."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from catalog.index import load_catalog
from services.stores.postgres import Connection
from services.trial import simulate
from services.trial.knowledge import trial_knowledge
from services.trial.simulate import Timeline, Unfit, UnknownUser, overrides_of
from tests.integration.trial.past import awards_of, line, lines, processed, unwritten
from tests.model import lab, pools
from tests.model.events import NOON, added, event, history, minutes
from tests.model.oracle import Event

CATALOG = load_catalog()
TODAY = date(2026, 3, 1)


async def played(connection: Connection, events: list[Event], user: str | None = None) -> Timeline:
    """The timeline of these events."""
    async with unwritten(connection):
        return await simulate.play(connection, trial_knowledge(CATALOG), lines(events), user)


async def travelled(
    connection: Connection, user: str | None = None, on: date | None = None, **numbers: Any
) -> list[tuple[str, str]]:
    """Days and badges of a journey."""
    overrides = overrides_of({name.replace("__", "@"): value for name, value in numbers.items()})
    async with unwritten(connection):
        found = await simulate.travel(connection, CATALOG, user, overrides, on, TODAY)
    return [(one["time"][:10], one["badge"]) for one in found.entries]


def full_history(seed: int, number: int) -> list[Event]:
    """A past with deletions in it."""
    dice = random.Random(seed)
    events = history(seed, number)
    for at in range(3):
        user, time = dice.choice(pools.USERS), dice.choice(pools.TIMES) + timedelta(minutes=1)
        events.insert(dice.randrange(len(events)), event("user.deleted", f"gone-{at}", {}, user=user, time=time))
    return events


def standing(timeline: Timeline, erased: bool) -> dict[tuple[str, str, str], Any]:
    """The awards of a timeline by user, badge and context; of one given again after a deletion the last."""
    found = {}
    for one in timeline.entries:
        name = (one["user"], one["badge"], one["context"])
        assert erased or name not in found
        found[name] = (one["time"], one["evidence"])
    return found


@pytest.mark.parametrize("seed", range(12))
async def test_from_nothing_it_is_what_the_worker_does(connection: Connection, seed: int) -> None:
    events = full_history(seed, 150) if seed % 2 else history(seed, 150)
    timeline = await played(connection, events)
    assert timeline.bad == []
    assert timeline.played + len(timeline.repeated) == len(events)
    again = await played(connection, events)
    assert again == timeline
    await processed(connection, events)
    given = standing(timeline, erased=bool(seed % 2))
    real = await awards_of(connection)
    assert len(real) > 20
    if seed % 2:  # a deletion takes awards along that the timeline told of
        assert {name: given[name] for name in real} == real
    else:
        assert given == real


@pytest.mark.parametrize("seed", range(8))
async def test_from_a_copy_it_goes_on_as_the_worker_would(connection: Connection, seed: int) -> None:
    past = history(seed, 120)
    await processed(connection, past)
    before = await awards_of(connection)
    future = [
        {**one, "id": f"later-{at}", "time": one["time"] + timedelta(days=200)}
        for at, one in enumerate(history(seed + 100, 80))
        if one["subject"] == "ada" or one["type"] == "release.described"
    ]
    timeline = await played(connection, future, "ada")
    await processed(connection, future)
    after = await awards_of(connection)
    new = {name: one for name, one in after.items() if name[0] == "ada" and name not in before}
    assert standing(timeline, erased=False) == new


async def test_whose_ever_the_events_are_they_are_played_for_the_copy(connection: Connection) -> None:
    await processed(connection, [added("one", (1, {"id": 1}), time=minutes(-9))])
    others = [added("theirs", *((n, {"id": n}) for n in range(2, 12)), user="ben")]
    timeline = await played(connection, others, "ada")
    assert [(one["user"], one["badge"], one["evidence"]["value"]) for one in timeline.entries] == [
        ("ada", "owner-ii", 11)
    ]
    apart = await played(connection, others)
    assert [(one["user"], one["badge"]) for one in apart.entries] == [("ben", "owner-i"), ("ben", "owner-ii")]
    with pytest.raises(UnknownUser):
        await played(connection, others, "nobody")


async def test_bad_lines_are_named_and_stop_nothing(connection: Connection) -> None:
    good = line(added("one", (1, {"id": 1})))
    said = [
        (1, b""), (2, b"{"), (3, good), (4, good), (5, b"[1]"), (6, b'{"type": "no.topic"}'), (7, b"\xff"),
        (8, good.replace(b'"instance_id": 1', b'"instance_id": "1"')), (9, b'{"type": "badge.awarded"}'),
        (10, line(event("user.joined", "j", {"joined_at": "2015-02-28"}, time=datetime(3000, 1, 1, tzinfo=UTC)))),
        (11, b"[" * 40), (12, good.replace(b'"ada"', b'"a d a"')),
    ]  # fmt: skip
    async with unwritten(connection):
        timeline = await simulate.play(connection, trial_knowledge(CATALOG), said, None)
    assert [one["event"] for one in timeline.entries] == [
        {"line": 3, "type": "ownership.added", "source": "/tests", "id": "one"}
    ]
    assert (timeline.played, timeline.repeated) == (2, [4])
    bad = dict(timeline.bad)
    assert list(bad) == [2, 5, 6, 7, 8, 9, 11, 12]
    assert bad[2].startswith("decode: not JSON")
    assert bad[8] == "schema: data.items[0].instance_id: expected int, got str"
    assert bad[9] == "envelope: type: 'badge.awarded' is no topic that takes events"
    assert bad[12].startswith("envelope: subject: ")


async def test_other_numbers(connection: Connection) -> None:
    assert await travelled(connection) == []
    assert await travelled(connection, genres=12) == [
        ("2026-03-01", "genre-tourist-bronze"),
        ("2026-03-01", "genre-tourist-silver"),
    ]
    assert [badge for _, badge in await travelled(connection, **{"pressings__master:5": 5})] == [
        "master-collector-bronze",
        "master-collector-silver",
    ]
    assert [badge for _, badge in await travelled(connection, **{"label_coverage__label:5": 60})] == [
        "label-loyalist-bronze",
        "label-loyalist-silver",
    ]
    await processed(connection, [added("page", *((n, {"id": n, "genres": [f"G{n}"]}) for n in range(1, 6)))])
    # What is held is not given again; what is said to be unknown earns nothing.
    assert [badge for _, badge in await travelled(connection, "ada", genres=12)] == ["genre-tourist-silver"]
    assert await travelled(connection, "ada", genres=None) == []


async def test_time_travel(connection: Connection) -> None:
    await processed(
        connection,
        [
            event("user.joined", "j", {"joined_at": "2024-02-29"}),
            added("old", (1, {"id": 1, "year": 1990})),
            event("cron.sweep", "s", {}),
        ],
    )
    assert "anniversary-ii" in {badge for _, badge, _ in [(n[0], n[1], n[2]) for n in await awards_of(connection)]}
    assert await travelled(connection, "ada", date(2034, 3, 1)) == [
        ("2027-02-28", "anniversary-iii"),
        ("2029-02-28", "anniversary-iv"),
        ("2030-01-01", "vinyl-archaeologist-silver"),
        ("2034-02-28", "anniversary-v"),
    ]
    # In the past fewer years had gone by.
    assert await travelled(connection, None, date(2020, 1, 1), years_since_join=3, oldest_age_years=25) == [
        ("2020-01-01", "vinyl-archaeologist-bronze"),
        ("2020-01-01", "anniversary-i"),
        ("2020-01-01", "anniversary-ii"),
        ("2020-01-01", "anniversary-iii"),
    ]
    with pytest.raises(Unfit):
        await travelled(connection, "ada", date(2127, 1, 1))
    with pytest.raises(UnknownUser):
        await travelled(connection, "nobody")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"genre": 3}, "is no metric"),
        ({"genres@label:1": 3}, "genres has no contexts"),
        ({"pressings": 3}, "pressings is counted for a master: pressings@master:<id>"),
        ({"pressings@label:3": 3}, "is counted for a master"),
        ({"pressings@master:99999999999999999999": 3}, "is counted for a master"),
        ({"genres": -1}, "expected a whole number"),
        ({"genres": True}, "expected a whole number"),
        ({"genres": 1.5}, "expected a whole number"),
        ({"genres": 2**31}, "expected a whole number"),
    ],
)
def test_numbers_that_cannot_be(said: dict[str, Any], why: str) -> None:
    with pytest.raises(Unfit, match=why):
        overrides_of(said)


async def test_the_users_were_told_apart(connection: Connection) -> None:
    """A user who begins with nothing is not the stored one of that name."""
    await processed(connection, [added("stored", *((n, {"id": n, "year": 1950}) for n in range(1, 11)))])
    timeline = await played(connection, [added("again", (1, {"id": 1, "year": 1999}), time=NOON)])
    assert [(one["user"], one["badge"], one["evidence"]["value"]) for one in timeline.entries] == [
        ("ada", "owner-i", 1),
        ("ada", "vinyl-archaeologist-bronze", 27),
    ]
    assert await lab.drift_of(connection, ["ada"]) == {}
