"""The main job from end to end: a file goes in through `gatefold emit`, awards come out on Kafka."""

import asyncio
import json
import random
from typing import Any

from contracts.topics import INPUT_TOPICS
from tests.e2e.events import MARK, added, at, copy, event, message, structured
from tests.e2e.processes import until
from tests.e2e.world import World
from tests.model.oracle import Event

USERS = ("main-ann", "main-bob", "main-cid")
YEARS = (1958, 1967, 1973, 1988, 1999)
GENRES = ("Rock", "Jazz", "Pop", "Reggae", "Blues")


def release(number: int) -> dict[str, Any]:
    """Release 900 + number with facts; of the first five each has a genre and a decade of its own."""
    return {
        "title": f"Title {number}",
        "master_id": 77 if number in (1, 3, 5) else 0,
        "year": YEARS[number % 5],
        "country": "UK",
        "labels": [{"id": 1 + number, "name": f"Label {number}"}],
        "formats": [{"name": "Vinyl", "descriptions": ["LP", "Mono"]}],
        "genres": [GENRES[number % 5]],
        "styles": [],
    }


def life_of(user: str) -> list[list[Event]]:
    """Everything that one user does, one list for each topic: in each the order matters, between them it does not."""
    pages = [
        added(
            user,
            f"{user}-page-{n}",
            [copy(10 * n + i + 1, 900 + 2 * n + i, **release(2 * n + i)) for i in range(2)],
            time=at(n),
        )
        for n in range(5)
    ]
    wishes = [
        event(
            "wishlist.added",
            user,
            f"{user}-wish-{n}",
            {"release_ids": [3 * n + i for i in range(1, 4)]},
            time=at(100 + n),
        )
        for n in range(4)
    ]
    return [
        [event("user.joined", user, f"{user}-joined", {"joined_at": "2020-02-29"}, time=at(1))],
        pages,
        # Older than what it names, in whatever order the two are read.
        [event("ownership.removed", user, f"{user}-removed", {"items": [{"instance_id": 1}]}, time=at(-1))],
        wishes,
        [event("wishlist.removed", user, f"{user}-unwish", {"release_ids": [1]}, time=at(99))],
        [
            event("review.approved", user, f"{user}-review-{n}", {"review_id": str(n)}, time=at(200 + n))
            for n in range(5)
        ],
        [event("edit.approved", user, f"{user}-edit", {"edit_id": "1"}, time=at(300))],
        [event("compare.used", user, f"{user}-compare", {"compare_id": f"{user}:x"}, time=at(301))],
        [event("collection.synced", user, f"{user}-synced", {"sync_id": "s", "items_total": 10}, time=at(302))],
    ]


def interleaved(lists: list[list[Event]], choose: random.Random) -> list[Event]:
    """One list out of many, each of them in its own order."""
    waiting = [list(one) for one in lists if one]
    found = []
    while waiting:
        one = choose.choice(waiting)
        found.append(one.pop(0))
        waiting = [rest for rest in waiting if rest]
    return found


EARNED = {
    ("owner-i", ""): (at(0), {"metric": "releases", "value": 2, "target": 1}),
    ("owner-ii", ""): (at(4), {"metric": "releases", "value": 10, "target": 10}),
    ("genre-tourist-bronze", ""): (at(2), {"metric": "genres", "value": 5, "target": 5}),
    ("label-hopper-bronze", ""): (at(4), {"metric": "labels", "value": 10, "target": 10}),
    ("time-traveler-bronze", ""): (at(1), {"metric": "decades", "value": 4, "target": 3}),
    ("time-traveler-silver", ""): (at(1), {"metric": "decades", "value": 4, "target": 4}),
    ("time-traveler-gold", ""): (at(2), {"metric": "decades", "value": 5, "target": 5}),
    ("vinyl-archaeologist-bronze", ""): (at(0), {"metric": "oldest_age_years", "value": 66, "target": 25}),
    ("vinyl-archaeologist-silver", ""): (at(0), {"metric": "oldest_age_years", "value": 66, "target": 40}),
    ("vinyl-archaeologist-gold", ""): (at(0), {"metric": "oldest_age_years", "value": 66, "target": 50}),
    ("vinyl-archaeologist-platinum", ""): (at(0), {"metric": "oldest_age_years", "value": 66, "target": 60}),
    ("mono-enthusiast", ""): (at(4), {"metric": "mono_releases", "value": 10, "target": 10}),
    ("master-collector-bronze", "master:77"): (at(2), {"metric": "pressings", "value": 3, "target": 3}),
    ("wishlister-i", ""): (at(100), {"metric": "wishlist", "value": 3, "target": 1}),
    ("wishlister-ii", ""): (at(103), {"metric": "wishlist", "value": 12, "target": 10}),
    ("reviewer-i", ""): (at(200), {"metric": "reviews", "value": 1, "target": 1}),
    ("reviewer-ii", ""): (at(204), {"metric": "reviews", "value": 5, "target": 5}),
    ("editor-i", ""): (at(300), {"metric": "edits", "value": 1, "target": 1}),
    ("comparer-i", ""): (at(301), {"metric": "compares", "value": 1, "target": 1}),
    ("deep-cut", ""): (at(500), {"metric": "deep_cuts", "value": 1, "target": 1}),
    ("anniversary-i", ""): (at(400), {"metric": "years_since_join", "value": 3, "target": 1}),
    ("anniversary-ii", ""): (at(400), {"metric": "years_since_join", "value": 3, "target": 2}),
    ("anniversary-iii", ""): (at(400), {"metric": "years_since_join", "value": 3, "target": 3}),
}
STATE = {
    "joined_on": "2020-02-29", "oldest_year": 1958, "releases": 10, "genres": 5, "styles": 0, "labels": 10,
    "countries": 1, "decades": 5, "largest_decade": 2, "mono_releases": 10, "formats": 1, "deep_cuts": 1,
    "first_pressings": 0, "taste_dimensions": 0, "reviews": 5, "edits": 1, "wishlist": 12, "compares": 1,
    "pressings": {"77": 3},
}  # fmt: skip


async def test_a_file_of_all_topics_becomes_awards(world: World) -> None:
    before = await world.status()
    lives = interleaved([one for user in USERS for one in life_of(user)], random.Random(7))
    gone = [event("review.approved", "main-gone", "gone-1", {"review_id": "1"}, time=at(1))]
    lines = [structured(one) for one in [*lives, *gone]]
    poison = [
        structured(event("review.approved", "main-ann", f"{MARK}-1", {"review_id": 5})),
        structured({**event("edit.approved", "main-ann", f"{MARK}-2", {"edit_id": "1"}), "specversion": "0.3"}),
    ]
    for line in poison:
        lines.insert(len(lines) // 2, line)
    file = world.directory / "events.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    refused = await asyncio.to_thread(world.run, "emit", str(file), "--json")
    assert refused.code == 1
    assert json.loads(refused.out)["bad"] == 2
    assert "data.review_id: expected str, got int" in refused.err
    blind = await asyncio.to_thread(world.run, "emit", "-", "--no-validate", stdin=b"\n".join(poison))
    assert blind.code == 0, blind.err
    # What depends on more than one topic comes when the one before is processed.
    phases = [
        [event("cron.anniversary", user, f"{user}-year", {"on": "2024-02-27"}, time=at(400)) for user in USERS],
        [event("release.described", "900", "described-900", {"id": 900, "have": 99}, time=at(500))],
        [
            event("cron.sweep", "main-bob", "sweep", time=at(600)),
            event("user.deleted", "main-gone", "gone-2", time=at(2)),
        ],
    ]
    later = [one for phase in phases for one in phase]
    assert {one["type"] for one in [*lives, *later]} == set(INPUT_TOPICS)
    for phase in phases:
        waited = await asyncio.to_thread(world.run, "wait", "--timeout", "60", "--without-graph", "--json")
        assert waited.code == 0, waited.err
        emitted = await asyncio.to_thread(world.run, "emit", "-", stdin=b"\n".join(map(structured, phase)))
        assert emitted.code == 0, emitted.err
    await world.drained()

    status = json.loads((await asyncio.to_thread(world.run, "status", "--json")).out)
    assert status["outbox"] == 0
    assert status["graph_due"] == await world.query("select count(*) from graph_due") >= 1, "no lane runs here"
    for one in status["partitions"]:
        fates = one["processed"] + one["duplicate"] + one["dead"] + one["hole"]
        assert fates == one["next_offset"] - one["base_offset"] == one["log_end"] - one["base_offset"]
    grown = sum(one["log_end"] for one in status["partitions"]) - sum(one.log_end for one in before.partitions)
    sweeps = len(USERS)  # told by the relay: the catalogue knows more of release 900
    assert grown == len(lives) + len(gone) + len(poison) + len(later) + sweeps

    exported = await asyncio.to_thread(world.run, "export", "state")
    state = {line["user_id"]: line for line in map(json.loads, exported.out.splitlines())}
    assert list(state) == sorted(state)
    assert {user: state.get(user) for user in USERS} == {user: {"user_id": user, **STATE} for user in USERS}
    assert "main-gone" not in state
    done = await asyncio.to_thread(world.run, "recount", "--check")
    assert done.code == 0, done.out
    exported = await asyncio.to_thread(world.run, "export", "awards")
    awards = [json.loads(line) for line in exported.out.splitlines()]
    keys = [(one["user_id"], one["badge_key"], one["context"]) for one in awards]
    assert keys == sorted(keys)
    for user in USERS:
        _check_awards({(one["badge_key"], one["context"]): one for one in awards if one["user_id"] == user})
    await _check_messages(world)


def _check_awards(awards: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert awards.keys() == EARNED.keys()
    for name, (time, numbers) in EARNED.items():
        award = awards[name]
        assert award["awarded_at"] == f"{time:%Y-%m-%dT%H:%M:%SZ}"
        assert numbers.items() <= award["evidence"].items()
        assert (award["source"], award["revoked_at"]) == ("auto", None)
    assert awards["genre-tourist-bronze", ""]["evidence"]["earned_with"] == {"release_id": 904, "title": "Title 4"}
    assert awards["vinyl-archaeologist-gold", ""]["evidence"]["oldest"] == {
        "release_id": 900,
        "title": "Title 0",
        "year": 1958,
    }
    assert awards["wishlister-ii", ""]["evidence"]["earned_with"] == {"release_id": 10}


async def _check_messages(world: World) -> None:
    """Binary CloudEvents, one for each award, and the two rejections."""
    records = [record for record in await world.published("badge.awarded") if record.key.decode() in USERS]
    assert len(records) == len(EARNED) * len(USERS)
    async with world.database() as connection:
        rows = await connection.fetch("select * from user_badges where user_id = any($1)", USERS)
    stored = {f"{row['award_id']}:1": row for row in rows}
    assert len(stored) == len(records)
    for record in records:
        headers = {name: value.decode() for name, value in record.headers}
        row, data = stored.pop(headers["ce_id"]), json.loads(record.value)
        assert headers == {
            "ce_specversion": "1.0",
            "ce_id": f"{data['award_id']}:{data['revision']}",
            "ce_source": "gatefold",
            "ce_type": "badge.awarded",
            "ce_subject": data["user_id"],
            "ce_time": data["awarded_at"],
            "content-type": "application/json",
        }
        assert record.key == data["user_id"].encode()
        assert (data["user_id"], data["badge"]["key"], data["context"]) == (
            row["user_id"],
            row["badge_key"],
            row["context"],
        )
        assert data["evidence"] == json.loads(row["evidence"])
        assert (data["source"], data["trigger"], data["notify"]) == ("auto", row["trigger"], True)
        assert data["caused_by"] == json.loads(row["caused_by"])
    letters = [json.loads(record.value) for record in await world.published("event.rejected")]
    assert {(one["key"], one["stage"], one["reason"]) for one in letters if one["key"] in USERS} == {
        ("main-ann", "schema", "data.review_id: expected str, got int"),
        ("main-ann", "envelope", "specversion: expected '1.0', got '0.3'"),
    }


async def test_explain_says_why_and_what_is_missing(world: World) -> None:
    user = "explain-ann"
    page = [copy(n, 800 + n, genres=[GENRES[n % 5]]) for n in range(1, 11)]
    await world.send([message(added(user, "explain-1", page, time=at(4)))])
    await world.drained()
    found = await asyncio.to_thread(world.run, "explain", user, "owner", "--json")
    verdicts = {one["badge"]: one for one in json.loads(found.out)}
    assert verdicts["owner-ii"]["awarded_at"] == f"{at(4):%Y-%m-%dT%H:%M:%SZ}"
    assert (verdicts["owner-ii"]["met_today"], verdicts["owner-iii"]["met_today"]) == (True, False)
    assert verdicts["owner-iii"]["awarded_at"] is None
    assert verdicts["owner-iii"]["evidence"] == {"metric": "releases", "value": 10, "target": 100}
    table = await asyncio.to_thread(world.run, "explain", user)
    assert table.code == 0
    assert "genre-tourist-bronze" in table.out
    assert (await asyncio.to_thread(world.run, "explain", "nobody")).code == 1


async def test_health_and_metrics_of_a_worker(world: World) -> None:
    assert world.worker.get("/healthz")[0] == 200
    until(lambda: world.worker.get("/readyz")[0] == 200, "the worker is ready")
    assert json.loads(world.worker.get("/readyz")[1])["assigned"] is True
    assert world.worker.metric("gatefold_assigned_partitions") == len(INPUT_TOPICS) * world.settings.topic_partitions
    fates = [world.worker.metric("gatefold_events_total", fate=fate) for fate in ("processed", "duplicate", "dead")]
    assert sum(fates) == await world.accounted()
    assert world.worker.metric("gatefold_awards_total") > 0
    assert world.relay.metric("gatefold_relay_leader") == 1
