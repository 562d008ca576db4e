"""Holders of each badge are those of a plain recount, of today and of days past."""

import random
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from catalog.index import load_catalog
from services.scheduler import jobs, running
from services.scheduler.jobs import CountHolders
from services.stores import cron, holders
from tests.integration.awards import award
from tests.integration.scheduler.world import FIRST, join, run_of

ACTIVE_FROM = FIRST - timedelta(days=89)


def plain_holders(
    users: dict[str, date | None], awards: list[tuple[str, str, str, datetime, datetime | None]], since: date
) -> dict[str, tuple[int, int]]:
    """Holders and active holders by badge, counted in the plainest way."""
    active = {user for user, seen in users.items() if seen is not None and seen >= since}
    held = {(badge, user) for user, badge, _, _, revoked in awards if revoked is None}
    found = {badge: (0, 0) for badge, _ in held}
    for badge, user in held:
        found[badge] = (found[badge][0] + 1, found[badge][1] + (user in active))
    return found | {"": (len(users), len(active))}


@pytest.mark.parametrize("seed", range(4))
async def test_holders_are_what_a_recount_says(
    db: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(jobs, "COUNTED", 7)
    dice = random.Random(seed)
    today = datetime.now(UTC).date()
    users = {
        f"{dice.choice('aZ_.')}{number}": dice.choice([None, *(today - timedelta(days=n) for n in (0, 89, 90, 400))])
        for number in range(dice.choice((0, 7, 50)))
    }
    strangers = [f"{dice.choice('aZ~'[:2])}x{number}" for number in range(3)]  # awards by hand, nothing else
    for user, seen in users.items():
        await join(db, [(user, None)], seen)
    past = datetime(2026, 1, 1, tzinfo=UTC)
    awards = {
        (user, dice.choice(("owner-i", "owner-ii", "master")), dice.choice(("", "master:1", "master:2"))): (
            past,
            dice.choice((None, None, past)),
        )
        for user in [*users, *strangers]
        for _ in range(dice.randrange(5))
    }
    for (user, badge, context), (at, revoked) in awards.items():
        await award(db, user, badge, context, at, revoked_at=revoked)
    expected = plain_holders(users, [(*name, *times) for name, times in awards.items()], today - timedelta(days=89))
    await running.open_run(db, "holders", today)
    run = run_of("holders", today)
    while run.finished_at is None:
        run, _ = await running.turn(db, CountHolders(), today)
    rows = await db.fetch("select * from badge_holders_history where counted_on = $1", today)
    nobody = dict.fromkeys(load_catalog().badges, (0, 0))
    assert {row["badge_key"]: (row["holders"], row["active_holders"]) for row in rows} == nobody | expected
    everybody, active = expected[""]
    for row in rows:
        assert row["share_all"] == (pytest.approx(min(1, row["holders"] / everybody)) if everybody else None)
        assert row["share_active"] == (pytest.approx(row["active_holders"] / active) if active else None)
    # Beside the count that the relay keeps, for the api.
    kept = await db.fetch("select badge_key, active_holders from badge_holders")
    assert {row["badge_key"]: row["active_holders"] for row in kept} == {key: pair[1] for key, pair in expected.items()}
    if everybody:
        (day,) = await holders.history(db, "", today)
        assert (day.counted_on, day.holders, day.active_holders, day.share_all) == (today, everybody, active, 1)
    # Once more: the day is counted anew, and nothing twice.
    await cron.again(db, "holders", today)
    run.finished_at = None
    while run.finished_at is None:
        run, _ = await running.turn(db, CountHolders(), today)
    again = await db.fetch("select * from badge_holders_history where counted_on = $1", today)
    assert sorted(map(tuple, again)) == sorted(map(tuple, rows))


async def test_holders_of_a_past_day_are_those_of_its_end(db: asyncpg.Connection) -> None:
    await join(db, [("ann", None), ("bob", None), ("cid", None), ("dan", None)], ACTIVE_FROM)
    end = datetime(2026, 2, 27, tzinfo=UTC)
    await award(db, "ann", "b", at=end - timedelta(seconds=1))
    await award(db, "bob", "b", at=end)
    await award(db, "cid", "b", at=end - timedelta(days=9), revoked_at=end - timedelta(days=1))
    await award(db, "dan", "b", at=end - timedelta(days=9), revoked_at=end)
    step = await CountHolders().page(db, run_of("holders", FIRST), datetime.now(UTC), dry_run=True)
    assert step.counts == {"users": 4, "active": 4, "held": 2}
    step = await CountHolders().page(db, run_of("holders", FIRST), end - timedelta(hours=3), dry_run=True)
    assert step.counts == {"users": 4, "active": 4, "held": 2}, "while the day lasts: what stands now"
    await award(db, "ann", "now")
    await db.execute("update user_badges set revoked_at = now() where badge_key = 'now'")
    step = await CountHolders().page(db, run_of("holders", FIRST), end - timedelta(hours=3), dry_run=True)
    assert step.counts["held"] == 2
