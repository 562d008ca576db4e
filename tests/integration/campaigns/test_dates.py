"""With which date: that of the day on which a past, looked at day by day, first met the rule."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from catalog.definition import Tenure, Threshold
from contracts.times import parse_time
from services.stores.postgres import Connection
from tests.integration.campaigns.world import CATALOG, forget_awards, start
from tests.model import lab, pools
from tests.model.events import ALL, added, event, minutes
from tests.model.lab import Log


def brute(events: list[dict[str, Any]], user: str, now: datetime) -> dict[str, datetime]:
    """The earliest moment at which a rule held, looking at every day and every event anew.

    Shape:   of the badges that have no context and count what the user's own events say; nothing is taken away.
    """
    mine = [one for one in events if one["subject"] == user]
    # The same day stated again is the newer statement.
    last = {date.fromisoformat(one["data"]["joined_at"]): one["time"] for one in mine if one["type"] == "user.joined"}
    days = {datetime(year, 1, 1, tzinfo=UTC) for year in range(1980, now.year + 1)}
    for one in mine:
        if one["type"] == "user.joined":
            joined = date.fromisoformat(one["data"]["joined_at"])
            for year in range(joined.year + 1, now.year + 1):
                day = (2, 28) if (joined.month, joined.day) == (2, 29) and year % 4 else (joined.month, joined.day)
                days.add(datetime(year, *day, tzinfo=UTC))
    met: dict[str, datetime] = {}
    for moment in sorted(days | {one["time"] for one in mine}):
        if moment > now:
            break
        past = [one for one in mine if one["time"] <= moment]
        owned = {
            item["release"]["id"]: item["release"]
            for one in past
            if one["type"] == "ownership.added"
            for item in one["data"]["items"]
        }
        years = [release["year"] for release in owned.values() if "year" in release]
        decades: dict[int, int] = defaultdict(int)
        for year in years:
            decades[year // 10] += 1
        joins = [joined for joined, said in last.items() if said <= moment]
        numbers = {
            "releases": len(owned),
            "genres": len({genre for release in owned.values() for genre in release.get("genres", ())}),
            "decades": len(decades),
            "largest_decade": max(decades.values(), default=0),
            "oldest_age_years": moment.year - min(years) if years else 0,
            "reviews": len({one["data"]["review_id"] for one in past if one["type"] == "review.approved"}),
            "wishlist": len(
                {id_ for one in past if one["type"] == "wishlist.added" for id_ in one["data"]["release_ids"]}
            ),
            "years_since_join": max((_full_years(joined, moment.date()) for joined in joins), default=0),
        }
        for badge in CATALOG.badges.values():
            match badge.criterion:
                case Threshold(metric=metric, at_least=number) if metric in numbers:
                    holds = numbers[metric] >= number
                case Tenure(years=number):
                    holds = numbers["years_since_join"] >= number
                case _:
                    continue
            if holds:
                met.setdefault(badge.key, moment)
    return met


def _full_years(joined: date, on: date) -> int:
    years = on.year - joined.year
    while years > 0:
        try:
            day = joined.replace(year=joined.year + years)
        except ValueError:
            day = date(joined.year + years, 2, 28)
        if day <= on:
            return years
        years -= 1
    return 0


@pytest.mark.parametrize("seed", range(4))
async def test_dates_are_those_of_a_past_that_is_looked_at_day_by_day(connection: Connection, seed: int) -> None:
    dice, known, log = random.Random(seed), lab.knowledge(), Log()
    events: list[dict[str, Any]] = []
    moment = datetime(1985 + seed, 5, 3, 12, tzinfo=UTC)
    for number in range(160):
        moment += timedelta(days=dice.randrange(0, 140), minutes=1)
        user = dice.choice(("ann", "bob"))
        match dice.choice(("own", "own", "own", "page", "review", "wish", "join")):
            case "own":
                releases = [number]
            case "page":
                releases = list(range(1000 + number * 20, 1000 + number * 20 + dice.randint(2, 9)))
            case "review":
                events.append(
                    event("review.approved", f"e{number}", {"review_id": str(number)}, user=user, time=moment)
                )
                continue
            case "wish":
                events.append(
                    event("wishlist.added", f"e{number}", {"release_ids": [number + 1]}, user=user, time=moment)
                )
                continue
            case _:
                day = date(dice.randint(1988, 2010), 2, dice.choice((3, 28)))
                day = date(2000, 2, 29) if dice.random() < 0.3 else day
                events.append(
                    event("user.joined", f"e{number}", {"joined_at": day.isoformat()}, user=user, time=moment)
                )
                continue
        owned = [
            (one + 1, {"id": one + 1, "genres": [f"G{dice.randrange(20)}"], "year": dice.randint(1930, 1985)})
            for one in releases
        ]
        events.append(added(f"e{number}", *owned, user=user, time=moment))
    shuffled = events[:]
    dice.shuffle(shuffled)  # however late it was read
    for one in shuffled:
        log.append(one)
    await lab.drain(connection, known, log)
    await forget_awards(connection)
    begun = await start(connection, "all")
    await lab.campaign(connection, known, log, begun.campaign_id)
    given = await lab.awards_of(connection)
    for user in ("ann", "bob"):
        met = brute(events, user, begun.started_at)
        mine = {
            key: parse_time(award["awarded_at"])
            for (owner, key, context), award in given.items()
            if owner == user and not context and key in met
        }
        assert mine == met


async def test_everything_that_one_topic_earned_comes_back_as_it_was(connection: Connection) -> None:
    """Shares, masters, ages, decades: of a past without removals, backfilled awards are those of the events."""
    dice, known, log = random.Random(5), lab.knowledge(), Log()
    for number in range(120):
        owned = [
            (100 * number + n, pools.described(release, 0, ALL))
            for n, release in enumerate(dice.sample(range(1, 60), dice.choice((1, 1, 2, 6))))
        ]
        log.append(added(f"h{number}", *owned, time=minutes(60 * 24 * 3 * (number - 120))))
    await lab.drain(connection, known, log)
    auto = await forget_awards(connection)
    begun = await start(connection, "trigger", "ownership.added")
    await lab.campaign(connection, known, log, begun.campaign_id)
    given = await lab.awards_of(connection)
    later = {name for name in given.keys() - auto.keys() if name[1].startswith("vinyl-archaeologist")}
    assert given.keys() - later == auto.keys()
    # Several copies of a release have one date each, and the first counts; within an event items go by their number.
    for name, award in auto.items():
        assert given[name]["awarded_at"] <= award["awarded_at"]
        if not name[1].startswith("vinyl-archaeologist"):
            assert given[name] == award | {"source": "backfill"}
    assert {context.partition(":")[0] for _, _, context in given} >= {"", "master", "artist"}
