"""Shares of a catalogue: earned is kept, progress follows the catalogue, and both are shown."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from catalog.index import load_catalog
from services.api.view import View
from services.stores import achievements
from services.stores.achievements import DetailAsked
from services.stores.postgres import Connection
from services.stores.standings import standing, standings
from tests.model import lab
from tests.model.events import added, event, minutes, removed
from tests.model.lab import Log

VIEW = View(load_catalog())
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LABEL = [{"id": 23528, "name": "As printed"}]
ARTIST = [{"id": 45, "name": "As credited"}]


async def total(connection: Connection, kind: str, id_: int, number: int, as_of: date) -> None:
    """How large a catalogue is, from now on."""
    await connection.execute(
        "insert into catalogue_total values ($1, $2, $3, $4)"
        " on conflict (kind, id) do update set total = excluded.total, as_of = excluded.as_of",
        kind, id_, number, as_of,
    )  # fmt: skip


async def own(connection: Connection, numbers: range, **more: Any) -> None:
    """Ada adds these releases, one page."""
    log = Log()
    name = f"page-{numbers}"
    log.append(
        added(name, *((n, {"id": n, "labels": LABEL, "artists": ARTIST, **more}) for n in numbers)), numbers.start
    )
    await lab.drain(connection, lab.knowledge(), log)


async def progress(connection: Connection, key: str) -> list[dict[str, Any]]:
    """What progress says of a family."""
    (row,) = await standings(connection, ["ada"], VIEW.master_badges, VIEW.highest, VIEW.nearest, VIEW.coverage)
    family = load_catalog().badges[key].family
    entries = VIEW.progress(standing(row), NOW, 100)["in_progress"]
    return [one for one in entries if load_catalog().badges[one["id"]].family == family]


async def detail(connection: Connection, key: str) -> dict[str, Any]:
    """What the detail of a badge says."""
    (row,) = await achievements.details(connection, [DetailAsked("ada", key, VIEW.family(key), 0, 10, None)])
    answer = VIEW.detail(key, achievements.detail(row, 10))
    assert answer is not None
    return msgspec.json.decode(msgspec.json.encode(answer))


async def test_earned_at_187_of_243_today_187_of_260(connection: Connection) -> None:
    await total(connection, "label", 23528, 243, date(2026, 2, 1))
    await connection.execute("insert into label values (23528, 'Warp Records')")
    await own(connection, range(1, 182))
    (entry,) = await progress(connection, "label-loyalist-gold")
    assert (entry["id"], entry["current"], entry["target"]) == ("label-loyalist-gold", 74, 75)
    assert entry["evidence"] == {
        "metric": "label_coverage", "value": 74, "target": 75, "label_id": 23528, "label": "Warp Records",
        "owned": 181, "total": 243, "percentage": 74.4, "as_of": "2026-02-01",
    }  # fmt: skip
    await own(connection, range(182, 188))
    award = (await lab.awards_of(connection))["ada", "label-loyalist-gold", "label:23528"]
    # 75 % of 243 are 182.25: the 183rd release earns it; what the evidence says is right after the whole page.
    assert award["evidence"]["earned_with"] == {"release_id": 183, "title": None}
    assert (award["evidence"]["owned"], award["evidence"]["total"]) == (187, 243)

    await total(connection, "label", 23528, 260, date(2026, 5, 1))
    held = await detail(connection, "label-loyalist-gold")
    assert (held["awards"][0]["evidence"]["owned"], held["awards"][0]["evidence"]["total"]) == (187, 243)
    assert held["awards"][0]["today"] == {"owned": 187, "total": 260, "percentage": 71.9, "as_of": "2026-05-01"}
    (entry,) = await progress(connection, "label-loyalist-gold")
    assert (entry["id"], entry["current"], entry["evidence"]["as_of"]) == ("label-loyalist-platinum", 71, "2026-05-01")
    log = Log()
    log.append(event("cron.sweep", "sweep", {}, time=minutes(9)))
    await lab.drain(connection, lab.knowledge(), log)
    assert (await lab.awards_of(connection))["ada", "label-loyalist-gold", "label:23528"] == award


async def test_what_becomes_known_is_given_by_the_sweep(connection: Connection) -> None:
    await own(connection, range(1, 6))
    (entry,) = await progress(connection, "label-loyalist-bronze")
    assert (entry["current"], entry["remaining"], entry["reason"]) == (None, None, "catalogue size not known")
    assert not [name for name in await lab.awards_of(connection) if "coverage" in name[1] or "loyalist" in name[1]]
    await total(connection, "label", 23528, 4, date(2026, 2, 1))
    await total(connection, "artist", 45, 5, date(2026, 2, 1))
    log = Log()
    log.append(event("cron.sweep", "sweep", {}, time=minutes(9)))
    await lab.drain(connection, lab.knowledge(), log)
    given = {name[1]: one for name, one in (await lab.awards_of(connection)).items() if name[2]}
    # All of a catalogue of four is nothing; all of one of five is everything.
    assert set(given) == {f"discography-deep-dive-{tier}" for tier in ("bronze", "silver", "gold", "platinum")}
    assert given["discography-deep-dive-platinum"]["evidence"]["percentage"] == 100.0


async def test_an_artist_is_counted_by_works(connection: Connection) -> None:
    """Pressings of one master are one work, under whatever artists; selling one of them keeps it."""
    await total(connection, "artist", 45, 8, date(2026, 2, 1))
    await own(connection, range(1, 4), master_id=9)
    await own(connection, range(4, 5), master_id=9, artists=[*ARTIST, {"id": 46, "name": "Guest"}])
    await own(connection, range(5, 6))

    async def counted(artist: int) -> int:
        rows = await connection.fetchval(
            "select n from facet_count where user_id = 'ada' and facet = 'a' and value = $1", artist
        )
        return int(rows)

    assert (await counted(45), await counted(46)) == (2, 1)
    assert {name[1] for name in await lab.awards_of(connection) if name[2] == "artist:45"} == {
        "discography-deep-dive-bronze"
    }
    log = Log()
    log.append(removed("sold-1", 1, 2, 3, time=minutes(1)))
    await lab.drain(connection, lab.knowledge(), log)
    assert (await counted(45), await counted(46)) == (2, 1)
    log.append(removed("sold-2", 4, time=minutes(2)))
    await lab.drain(connection, lab.knowledge(), log)
    assert (await counted(45), await counted(46)) == (1, 0)
    assert await lab.drift_of(connection, ["ada"]) == {}


async def test_the_nearest_five_of_each_kind(connection: Connection) -> None:
    log = Log()
    for n in range(1, 12):
        await total(connection, "label", 100 + n, 10 + n, date(2026, 2, 1))
        labels, artists = [{"id": 100 + n, "name": "L"}], [{"id": 194, "name": "Various"}]
        log.append(added(f"n-{n}", (n, {"id": n, "labels": labels, "artists": artists})))
    await lab.drain(connection, lab.knowledge(), log)
    entries = await progress(connection, "label-loyalist-bronze")
    assert [one["context"] for one in entries] == [f"label:{100 + n}" for n in range(1, 6)]
    (unknown,) = await progress(connection, "discography-deep-dive-bronze")
    assert unknown["current"] is None
