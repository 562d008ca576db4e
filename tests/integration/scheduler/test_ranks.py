"""Who was the 17th to earn a badge: said once by the daily count, never changed, and true when it is told."""

import random
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from services.scheduler import dates, jobs, running
from services.scheduler.jobs import CountHolders
from services.stores import cron, holders
from tests.integration.awards import award
from tests.integration.scheduler.world import FIRST, join

NOON = dates.midnight(FIRST) - timedelta(hours=12)
BADGE = "deep-cut"


async def count(db: asyncpg.Connection, on: date) -> None:
    """The whole run of a day."""
    await running.open_run(db, "holders", on)
    while (await running.turn(db, CountHolders(), on)).step is not None:
        pass


async def ranks(db: asyncpg.Connection, badge: str = BADGE) -> dict[str, int]:
    rows = await db.fetch("select user_id, rank from user_badges where badge_key = $1 and rank is not null", badge)
    return {row["user_id"]: row["rank"] for row in rows}


async def test_a_rank_is_told_the_day_after_and_stays(db: asyncpg.Connection) -> None:
    for at, user in enumerate(("cid", "ann", "bob")):
        await award(db, user, BADGE, at=NOON + timedelta(minutes=at))
    await award(db, "dan", BADGE, at=dates.midnight(FIRST))
    assert await ranks(db) == {}
    await count(db, FIRST)
    assert await ranks(db) == {"cid": 1, "ann": 2, "bob": 3}, "who earned it today may still be overtaken by a late one"

    await db.execute("delete from user_badges where user_id = 'ann'")
    await db.execute("update user_badges set revoked_at = now() where user_id = 'cid'")
    await award(db, "late", BADGE, at=NOON - timedelta(days=400))
    await award(db, "eve", BADGE, at=NOON + timedelta(days=1))
    await count(db, FIRST + timedelta(days=1))
    # The late one counts, and is told nothing: it was no fourth. A gap stays a gap.
    assert await ranks(db) == {"cid": 1, "bob": 3, "late": -4, "dan": 5, "eve": 6}

    await db.execute("delete from user_badges where badge_key = $1", BADGE)
    await award(db, "fay", BADGE, at=NOON + timedelta(days=2))
    await count(db, FIRST + timedelta(days=2))
    assert await ranks(db) == {"fay": 7}, "those who are gone were before"


async def test_who_was_given_it_was_not_the_first_to_earn_it(db: asyncpg.Connection) -> None:
    """A campaign finds who earned it before, a hand gives it to somebody: only an event tells who is when."""
    for at, source in enumerate(("manual", "backfill", "auto", "backfill", "auto")):
        await award(db, f"{source}-{at}", BADGE, at=NOON + timedelta(minutes=at))
        await db.execute("update user_badges set source = $1 where user_id = $2", source, f"{source}-{at}")
    await count(db, FIRST)
    assert await ranks(db) == {"backfill-1": -1, "auto-2": 2, "backfill-3": -3, "auto-4": 4}


async def test_a_hundred_ranks_and_no_more(db: asyncpg.Connection) -> None:
    await join(db, [(f"u{number:04d}", None) for number in range(130)])
    for number in range(130):
        # In the other order than they are paged in.
        await award(db, f"u{number:04d}", BADGE, at=NOON - timedelta(minutes=number))
    await count(db, FIRST)
    found = await ranks(db)
    assert found == {f"u{129 - at:04d}": at + 1 for at in range(holders.RANKS)}
    await db.execute("delete from user_badges where user_id = 'u0030'")  # the hundredth
    await award(db, "new", BADGE, at=NOON + timedelta(days=1))
    await count(db, FIRST + timedelta(days=1))
    assert await ranks(db) == {user: rank for user, rank in found.items() if user != "u0030"}
    assert await db.fetchval("select count(*) from user_badges where rank = 0") == 0


async def test_an_award_that_somebody_changes_waits_for_another_day(db: asyncpg.Connection, database: str) -> None:
    """A run waits for nobody, so that nobody waits for it in a circle."""
    await award(db, "ann", BADGE, at=NOON)
    await award(db, "bob", BADGE, at=NOON + timedelta(minutes=1))
    other = await asyncpg.connect(database)
    async with other.transaction():
        await other.execute("update user_badges set hidden = true where user_id = 'ann'")
        await db.execute("set statement_timeout = '5s'")
        await count(db, FIRST)
    await other.close()
    assert await ranks(db) == {"bob": 1}
    await count(db, FIRST + timedelta(days=1))
    assert await ranks(db) == {"bob": 1, "ann": -2}


Stored = dict[tuple[str, str, str], tuple[datetime, str, bool]]


def plain_ranks(
    stored: Stored, given: dict[str, list[tuple[str, datetime]]], before: datetime
) -> dict[tuple[str, str], int]:
    """The ranks that a day adds, in the plainest way; `given` is who has one by badge, in order, and is added to."""
    new: dict[tuple[str, str], int] = {}
    firsts: dict[tuple[str, str], tuple[datetime, str, str]] = {}
    for (user, badge, context), (at, source, revoked) in stored.items():
        if source != "manual" and not revoked and at < before:
            firsts[badge, user] = min(firsts.get((badge, user), (at, context, source)), (at, context, source))
    for (badge, user), (at, _, source) in sorted(firsts.items(), key=lambda one: (one[1][0], one[0][1])):
        ranked = given.setdefault(badge, [])
        if len(ranked) < holders.RANKS and user not in [name for name, _ in ranked]:
            told = source == "auto" and all(at >= earlier for _, earlier in ranked)
            ranked.append((user, at))
            new[badge, user] = len(ranked) if told else -len(ranked)
    return new


@pytest.mark.parametrize("seed", range(3))
async def test_ranks_are_what_plain_counting_says(
    db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(jobs, "COUNTED", 5)
    monkeypatch.setattr(holders, "RANKS", 6)
    dice = random.Random(seed)
    users = [f"u{number:02d}" for number in range(24)]
    await join(db, [(user, None) for user in users])
    stored: Stored = {}
    given: dict[str, list[tuple[str, datetime]]] = {}
    expected: dict[tuple[str, str], int] = {}
    for day in range(5):
        on = FIRST + timedelta(days=day)
        for _ in range(dice.choice((2, 6, 12))):
            key = (dice.choice(users), dice.choice(("a", "b", "c")), dice.choice(("", "", "master:1")))
            at = dates.midnight(on) - timedelta(hours=dice.choice((-1, 0, 1, 2, 3, 30, 300)))
            source, revoked = dice.choice(("auto", "auto", "auto", "backfill", "manual")), dice.random() < 0.1
            if key not in stored:
                stored[key] = (at, source, revoked)
                await award(db, *key, at, revoked_at=datetime.now(UTC) if revoked else None)
                await db.execute(
                    "update user_badges set source = $4 where (user_id, badge_key, context) = ($1, $2, $3)",
                    *key,
                    source,
                )
        if dice.random() < 0.5:
            gone = dice.choice(users)
            await db.execute("delete from user_badges where user_id = $1", gone)
            stored = {key: value for key, value in stored.items() if key[0] != gone}
            expected = {key: rank for key, rank in expected.items() if key[1] != gone}
            # Whoever comes back is somebody else.
            given = {
                badge: [(f"-{who}" if who == gone else who, at) for who, at in ranked]
                for badge, ranked in given.items()
            }
        expected |= plain_ranks(stored, given, dates.midnight(on))
        await running.open_run(db, "holders", on)
        await running.turn(db, CountHolders(), on)
        if dice.random() < 0.3:
            await cron.again(db, "holders", on)  # a run that begins anew
        await count(db, on)
        found = await db.fetch("select badge_key, user_id, rank from user_badges where rank is not null")
        assert {(row["badge_key"], row["user_id"]): row["rank"] for row in found} == expected
    assert any(rank > 0 for rank in expected.values())
