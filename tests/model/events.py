"""Events of the tests, built with few words."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.model import pools
from tests.model.measures import FIELDS
from tests.model.oracle import SETS, Event

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = frozenset(FIELDS)


def event(kind: str, name: str, data: Any, *, user: str = "ada", time: datetime = NOON) -> Event:
    """An event of one user."""
    return {"type": kind, "id": name, "source": "/tests", "subject": user, "time": time, "data": data}


def added(name: str, *owned: tuple[int, dict[str, Any]], user: str = "ada", time: datetime = NOON) -> Event:
    """Copies of releases: (instance, release)."""
    items = [{"instance_id": instance, "release": release} for instance, release in owned]
    return event("ownership.added", name, {"items": items}, user=user, time=time)


def removed(name: str, *instances: int, user: str = "ada", time: datetime = NOON) -> Event:
    """Copies that left."""
    items = [{"instance_id": instance} for instance in instances]
    return event("ownership.removed", name, {"items": items}, user=user, time=time)


def minutes(number: float) -> datetime:
    """So long after NOON."""
    return NOON + timedelta(minutes=number)


def history(seed: int, events: int) -> list[Event]:
    """A busy past of a few users: every topic, colliding instances, times out of order, some repeated identities."""
    dice = random.Random(seed)
    made: list[Event] = []
    for number in range(events):
        user, time = dice.choice(pools.USERS), dice.choice(pools.TIMES) + timedelta(minutes=dice.randrange(3))
        kind = dice.choice(
            ["ownership.added"] * 8 + ["ownership.removed"] * 2 + ["wishlist.added"] * 3 + ["wishlist.removed"]
            + ["review.approved", "edit.approved", "compare.used"] * 2 + ["release.described"] * 2
            + ["user.joined", "cron.anniversary", "cron.sweep", "collection.synced"]
        )  # fmt: skip
        fields = ALL if dice.random() < 0.6 else frozenset(dice.sample(FIELDS, 5))
        release = pools.described(dice.randint(1, 25), dice.randrange(4), fields)
        data: dict[str, Any] = {}
        match kind:
            case "ownership.added":
                first = dice.randint(1, 20)
                data["items"] = [
                    {"instance_id": at, "release": pools.described(dice.randint(1, 25), dice.randrange(4), fields)}
                    for at in range(first, first + dice.choice((1, 1, 2, 12)))
                ]
            case "ownership.removed":
                data["items"] = [{"instance_id": at} for at in dice.sample(range(1, 25), 3)]
            case "wishlist.added" | "wishlist.removed":
                data["release_ids"] = dice.sample(range(1, 15), 4)
            case "user.joined":
                data["joined_at"] = dice.choice(pools.DAYS)
            case "cron.anniversary":
                data["on"] = "2026-02-28"
            case "collection.synced":
                data |= {"sync_id": "s", "items_total": 0}
            case "release.described":
                data = release
            case _ if kind in SETS:
                data[SETS[kind]] = f"no-{dice.randrange(8)}"
        subject = str(release["id"]) if kind == "release.described" else user
        one = event(kind, f"{dice.choice('abZ')}{number}", data, user=subject, time=time)
        made.append(dice.choice(made) if made and dice.random() < 0.05 else one)
    return made
