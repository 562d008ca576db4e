"""Every badge of the catalog: what is nearly enough, and the one fact that earns it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.definition import BadgeDefinition, Coverage, Tenure, Threshold, metrics_of
from catalog.index import load_catalog
from contracts.countries import COUNTRIES
from services.stores import catalogue
from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import NOON, added, event, minutes
from tests.model.lab import Log
from tests.model.oracle import Event
from tests.model.pools import AS_OF

Release = dict[str, Any]
CATALOG = load_catalog()
# Those of the graph lane have their stories in test_graph_lane.py.
WORKERS = [key for key, badge in CATALOG.badges.items() if badge.triggers != ("collection.synced",)]
COUNTED_BY_EVENT = {"reviews": ("review.approved", "review_id"), "edits": ("edit.approved", "edit_id"),
                    "compares": ("compare.used", "compare_id")}  # fmt: skip


def releases(metric: str, target: int) -> tuple[list[Release], Release]:
    """What is nearly enough, with what must not count among it; and the release that is missing."""
    few = range(1, target)
    match metric:
        case "releases":
            return [{"id": n} for n in few], {"id": target}
        case "genres" | "styles":
            return [{"id": n, metric: [f"N{n}", f"N{n}", "N1"]} for n in few], {"id": 5000, metric: ["N1", "new"]}
        case "labels":
            near = [{"id": n, "labels": [{"id": n, "name": "Same name"}]} for n in few]
            none = [{"name": "Not On Label"}, {"id": 9, "name": "Not On Label (Us)"}]
            return [*near, {"id": 4000, "labels": none}], {"id": 5000, "labels": [{"id": None, "name": "Same name"}]}
        case "countries":
            names = sorted(COUNTRIES)
            regions = ("Europe", "Worldwide", "UK & Europe", "Scandinavia", "Unknown", "", None)
            near = [{"id": n, "country": names[n]} for n in few]
            near += [{"id": 4000 + n, "country": region} for n, region in enumerate(regions)]
            return near, {"id": 5000, "country": names[target]}
        case "decades":
            near = [{"id": n, "year": 1930 + 10 * n} for n in few] + [{"id": 50, "year": 1949}, {"id": 51, "year": 0}]
            return near, {"id": 5000, "year": 2028, "released": "1920-01-00"} | {"year": 0}
        case "largest_decade":
            near = [{"id": n, "year": 1970 + n % 10} for n in few] + [{"id": 4000 + n, "year": 1980} for n in few]
            return near, {"id": 5000, "released": "1979"}
        case "mono_releases":
            mono = [{"name": "Vinyl", "descriptions": ["LP", "Mono"]}]
            stereo = [{"name": "Vinyl", "descriptions": ["mono", "Stereo"], "text": "Mono"}]
            return [{"id": n, "formats": mono * 2} for n in few] + [{"id": 99, "formats": stereo}], {
                "id": 5000,
                "formats": [{"name": "CD", "descriptions": ["Mono"]}],
            }
        case "formats":
            vinyl = [{"name": "Vinyl", "descriptions": ["LP", '12"', "Album"]}, {"name": "All Media"}]
            near = [{"id": 1, "formats": vinyl}] + [
                {"id": n, "formats": [{"name": f"C{n}"}]} for n in range(2, target - 1)
            ]
            return near, {"id": 5000, "formats": [{"name": "Vinyl", "descriptions": ["Album"]}]}
        case "deep_cuts":
            near = [{"id": 1, "have": 100}, {"id": 2, "have": None}, {"id": 3}]
            return near, {"id": 5000, "have": 99}
        case "taste_dimensions":
            near = [{"id": 3 * n + k, "genres": [f"N{n}"]} for n in few for k in range(3)]
            near += [{"id": 4000 + k, "styles": ["N1"]} for k in range(2)]
            return near, {"id": 5000, "styles": ["N1"]}
        case "pressings":
            return [{"id": n, "master_id": 7} for n in few] + [{"id": 99, "master_id": 0}], {"id": 5000, "master_id": 7}
    raise ValueError(metric)


def pages(user: str, owned: list[Release], first: int, time: datetime) -> Iterator[Event]:
    """The releases as pages of a sync, each in two copies where there are few: copies do not count twice."""
    copies = [(first + at, release) for at, release in enumerate(owned * (2 if len(owned) < 300 else 1))]
    for start in range(0, len(copies), 500):
        yield added(f"{user}-{first + start}", *copies[start : start + 500], user=user, time=time)


def story(badge: BadgeDefinition, user: str) -> tuple[list[Event], Event, int, dict[str, Any]]:
    """Nearly enough; what earns it; the value then; what the evidence says beside metric, value and target."""
    criterion = badge.criterion
    if isinstance(criterion, Tenure):
        joined = event("user.joined", f"{user}-j", {"joined_at": "2012-02-29"}, user=user)
        years = [2012 + criterion.years, "28" if criterion.years % 4 else "29"]
        eve = f"{years[0]}-02-{int(years[1]) - 1}"
        near = [joined, event("cron.anniversary", f"{user}-1", {"on": eve}, user=user)]
        fact = event("cron.anniversary", f"{user}-2", {"on": "{}-02-{}".format(*years)}, user=user, time=minutes(9))
        return near, fact, criterion.years, {}
    if isinstance(criterion, Coverage):
        return share(criterion, user)
    assert isinstance(criterion, Threshold)
    if criterion.metric == "first_pressings":
        return first_pressing(user)
    metric, target = criterion.metric, criterion.at_least
    if metric == "oldest_age_years":
        old = {"id": 3, "title": "Old", "year": 2026 - target, "formats": [{"name": "Shellac"}]}
        last_year = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
        near = [added(f"{user}-1", (1, old), (2, {"id": 2, "year": 1859}), user=user, time=last_year)]
        fact = added(f"{user}-2", (1, {"id": 3}), user=user, time=last_year + timedelta(minutes=9))
        return near, fact, target, {"oldest": {"release_id": 3, "title": "Old", "year": 2026 - target}}
    if metric == "wishlist":
        near = [event("wishlist.added", f"{user}-{n}", {"release_ids": [n, n]}, user=user) for n in range(1, target)]
        fact = event(
            "wishlist.added", f"{user}-0", {"release_ids": [1, 9000] if near else [9000]}, user=user, time=minutes(9)
        )
        return near, fact, target, {"earned_with": {"release_id": 9000}}
    if metric in COUNTED_BY_EVENT:
        topic, name = COUNTED_BY_EVENT[metric]
        near = [
            event(topic, f"{user}-{n}", {name: str(max(n, 1))}, user=user) for n in range(target) if n or target > 1
        ]
        return near, event(topic, f"{user}-fact", {name: "new"}, user=user, time=minutes(9)), target, {}
    owned, missing = releases(metric, target)
    missing = {**missing, "title": "Missing"}
    fact = added(f"{user}-fact", (90_000, {"id": 90_000}), (90_001, missing), user=user, time=minutes(9))
    if metric == "releases":
        fact = added(f"{user}-fact", (90_001, missing), user=user, time=minutes(9))
    also: dict[str, Any] = {"earned_with": {"release_id": missing["id"], "title": "Missing"}}
    also |= {"decade": 1970} if metric == "largest_decade" else {}
    also |= {"master_id": 7, "master": "Missing"} if metric == "pressings" else {}
    return list(pages(user, owned, 1, NOON)), fact, target, also


# Labels and artists with a catalogue of forty: the pools' largest.
FORTY = {"label": 904, "artist": 803}


def share(criterion: Coverage, user: str) -> tuple[list[Event], Event, int, dict[str, Any]]:
    """One less than the share, among other labels, other artists and second pressings of one work; then one more."""
    of, number = criterion.of, -(-40 * criterion.percent // 100)
    mine = {f"{of}s": [{"id": FORTY[of], "name": "As printed"}, {"id": FORTY[of], "name": "Twice"}]}
    other = {f"{of}s": [{"id": None, "name": "As printed"}, {"id": 4711, "name": "Large"}]}
    owned: list[Release] = [{"id": n, "master_id": n * (n % 2), **mine} for n in range(1, number)]
    owned += [{"id": 5000 + n, **other} for n in range(50)]
    if of == "artist":
        owned += [{"id": 6000 + n, "master_id": 1, **mine} for n in range(9)]
    fact = added(f"{user}-fact", (90_001, {"id": 7000, "title": "Missing", **mine}), user=user, time=minutes(9))
    also = {f"{of}_id": FORTY[of], of: "Large", "owned": number, "total": 40, "percentage": number * 2.5}
    also |= {"as_of": AS_OF, "earned_with": {"release_id": 7000, "title": "Missing"}}
    return list(pages(user, owned, 1, NOON)), fact, criterion.percent, also


def first_pressing(user: str) -> tuple[list[Event], Event, int, dict[str, Any]]:
    """A reissue, a later version and one without a date; then the first of three dated versions."""
    near = [{"id": n, "master_id": 600, "released": "1969"} for n in (602, 603, 604, 699)]
    fact = added(f"{user}-fact", (9, {"id": 601}), user=user, time=minutes(9))
    first = {"release_id": 601, "title": "First", "master_id": 600, "date": "1970-02", "versions": 3}
    return (
        list(pages(user, near, 1, NOON)),
        fact,
        1,
        {"first_pressing": first, "earned_with": {"release_id": 601, "title": "First"}},
    )


async def drain(connection: Connection, log: Log) -> None:
    await lab.drain(connection, lab.knowledge(), log)


async def stock(connection: Connection) -> None:
    """A catalogue: how large the pools' labels and artists are, and a master with three dated versions."""
    await lab.stock(connection)
    versions = Log()
    for at, said in enumerate(
        (
            {"id": 601, "title": "First", "released": "1970-02-00"},
            {"id": 602, "released": "1970-03-05"},
            {"id": 603, "released": "?"},
            {"id": 604, "released": "1970", "formats": [{"name": "Vinyl", "descriptions": ["LP", "Reissue"]}]},
        )
    ):
        versions.append(event("release.described", f"v{at}", {"master_id": 600, **said}, user=str(said["id"])), 3)
    await lab.drain(connection, lab.knowledge(), versions)
    await connection.execute("insert into master (master_id) values (600)")
    await connection.execute("insert into catalogue_total values ('master', 600, 4, '2025-01-01')")
    await catalogue.date_masters(connection, [600])


@pytest.fixture(scope="module")
def log() -> Log:
    """One log for all badges, each with a user of its own."""
    return Log()


@pytest.mark.parametrize("key", WORKERS)
async def test_near_miss_and_fact(database: str, log: Log, key: str) -> None:
    badge = CATALOG.badges[key]
    context = {"": "", "master": "master:7", **{of: f"{of}:{id_}" for of, id_ in FORTY.items()}}[badge.context_kind]
    near, fact, value, also = story(badge, key)
    connection = await lab.worker_connection(database)
    try:
        if not await connection.fetchval("select count(*) from catalogue_total"):
            await stock(connection)
        for one in near:
            log.append(one)
        await drain(connection, log)
        held = {name[1:] for name in await lab.awards_of(connection) if name[0] == key}
        assert (key, context) not in held
        assert len(held) >= badge.tier_index, "the tiers below are earned already"
        log.append(fact)
        await drain(connection, log)
        award = (await lab.awards_of(connection))[key, key, context]
        (metric,) = metrics_of(badge.criterion)
        target = badge.criterion.percent if isinstance(badge.criterion, Coverage) else value
        assert award["evidence"] == {"metric": metric, "value": value, "target": target, **also}
        assert datetime.fromisoformat(award["awarded_at"]) == fact["time"]
        assert await lab.drift_of(connection, [key]) == {}
    finally:
        await connection.close()


def test_every_family_is_here() -> None:
    assert {badge.family for badge in CATALOG.badges.values()} == set(CATALOG.families)
    assert len(CATALOG.badges) >= 69
