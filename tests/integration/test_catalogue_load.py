"""Discogs' dumps into the catalogue: every fact, nothing twice, the newest wins, and what is wrong is left out."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.state.dates import issued, reissue
from services.state.facts import Facts, Stamp, Statement, facts_of
from services.state.holdings import Entry
from services.stores import catalogue
from services.stores.catalogue_load import SOURCE
from services.stores.ledger import CATALOGUE_LOCK
from services.stores.postgres import connect
from tests.integration.dumps import SAMPLE_DAY, SAMPLES, Dumped, Heard, content, empty, load_now, versions, write

FILES = sorted(SAMPLES.glob("*.xml.gz"))
NEWER = SAMPLE_DAY + timedelta(days=30)


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to an empty catalogue."""
    found = await connect(database, application="test-load")
    await empty(found)
    yield found
    await found.close()


def elements(kind: str) -> list[ET.Element]:
    return list(ET.fromstring(gzip.decompress((SAMPLES / f"discogs_20200806_{kind}_sample.xml.gz").read_bytes())))


def ids(element: ET.Element, path: str, hubs: tuple[int, ...] = (0, 194, 355, 118760)) -> set[int]:
    return {int(one.text or 0) for one in element.findall(path)} - set(hubs)


def labels_of(element: ET.Element) -> set[int]:
    return {
        int(one.get("id") or 0)
        for one in element.findall("labels/label")
        if not (one.get("name") or "").startswith("Not On Label")
    } - {0}


async def test_the_sample_is_there_fact_by_fact(connection: asyncpg.Connection[Any]) -> None:
    summary = await load_now(connection, FILES)
    assert [(one.elements, one.bad, one.broken) for one in summary.files] == [(700, 0, None)] * 4
    assert (summary.finished, summary.releases) == (True, 700)
    rows = {row["release_id"]: row for row in (await content(connection))["release"]}
    assert len(rows) == 700
    for theirs in elements("releases"):
        row = rows[int(theirs.get("id") or 0)]
        facts = facts_of(row["content"])
        assert facts.title == theirs.findtext("title")
        assert facts.country == theirs.findtext("country")
        assert facts.released == theirs.findtext("released")
        assert (facts.year, facts.have) == (None, None)
        assert facts.master_id == row["master_id"] == (int(theirs.findtext("master_id") or 0) or None)
        assert facts.genres == tuple(one.text for one in theirs.findall("genres/genre"))
        assert (facts.styles or ()) == tuple(one.text for one in theirs.findall("styles/style"))
        assert [name for _, name in facts.artists or ()] == [o.text for o in theirs.findall("artists/artist/name")]
        assert [name for _, name in facts.labels or ()] == [o.get("name") for o in theirs.findall("labels/label")]
        assert [name for name, _ in facts.formats or ()] == [o.get("name") for o in theirs.findall("formats/format")]
        assert row["issued"] == issued(facts.released, None)
        assert row["reissue"] == reissue(facts.formats)
        assert (row["stated_at"], row["by_id"], row["by_source"], row["stamps"], row["dumped_on"]) == (
            datetime(2020, 8, 6, tzinfo=UTC),
            "dump:2020-08-06",
            SOURCE,
            None,
            SAMPLE_DAY,
        )


async def test_names_links_totals_and_news_of_the_sample(connection: asyncpg.Connection[Any]) -> None:
    summary = await load_now(connection, FILES)
    labels: Counter[int] = Counter()
    works: defaultdict[int, set[int]] = defaultdict(set)
    masters: Counter[int] = Counter()
    links: dict[str, set[tuple[int, int]]] = {"label": set(), "artist": set()}
    for theirs in elements("releases"):
        id_, master = int(theirs.get("id") or 0), int(theirs.findtext("master_id") or 0)
        labels.update(labels_of(theirs))
        links["label"] |= {(one, id_) for one in labels_of(theirs)}
        for artist in ids(theirs, "artists/artist/id"):
            works[artist].add(master or -id_)
            links["artist"].add((artist, id_))
        masters.update([master] if master else [])
    found = await connection.fetch("select * from catalogue_total")
    assert {row["as_of"] for row in found} == {SAMPLE_DAY}
    totals = {(row["kind"], row["id"]): row["total"] for row in found}
    expected = {("label", one): n for one, n in labels.items()}
    expected |= {("artist", one): len(several) for one, several in works.items()}
    assert totals == expected | {("master", one): n for one, n in masters.items()}
    for kind, pairs in links.items():
        assert {tuple(row) for row in await connection.fetch(f"select * from release_{kind}")} == pairs  # noqa: S608
    assert {tuple(row) for row in await connection.fetch("select label_id, name from label")} == {
        (int(one.findtext("id") or 0), one.findtext("name")) for one in elements("labels")
    }
    artists = {
        row["artist_id"]: (row["name"], row["members"]) for row in await connection.fetch("select * from artist")
    }
    assert artists == {
        int(one.findtext("id") or 0): (
            one.findtext("name"),
            [int(m.get("id") or 0) for m in one.findall("members/name")],
        )
        for one in elements("artists")
    }
    named = {int(one.get("id") or 0): one.findtext("title") for one in elements("masters")}
    titles = dict(await connection.fetch("select master_id, title from master"))
    assert titles == dict.fromkeys(masters) | named
    news = await connection.fetch("select cause, load_id, release_id, time <= now() as past from news")
    assert [tuple(row) for row in news] == [(f"loaded:{summary.load_id}", summary.load_id, None, True)]
    assert await connection.fetchval("select count(*) from load_release where load_id = $1", summary.load_id) == 700
    assert await connection.fetchval("select count(*) from load_total") == len(totals) == summary.totals
    assert await connection.fetchval("select finished_at is not null from catalogue_load")


async def test_the_same_dump_again_writes_nothing(connection: asyncpg.Connection[Any]) -> None:
    await load_now(connection, FILES)
    before = await versions(connection)
    again = await load_now(connection, FILES)
    assert await versions(connection) == before
    assert (again.releases, again.totals, again.finished) == (0, 0, True)
    assert await connection.fetchval("select count(*) from news") == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
async def test_files_may_come_in_any_order(connection: asyncpg.Connection[Any], order: tuple[int, ...]) -> None:
    await load_now(connection, FILES)
    expected = await content(connection)
    await empty(connection)
    for number in order[:2]:
        await load_now(connection, [FILES[number]])
    await load_now(connection, [FILES[number] for number in order[2:]])
    assert await content(connection) == expected


A = Dumped(1, "one", master=7, released="1999-03-00", artists=(5,), labels=(3, 9), country="US")


async def test_a_newer_dump_replaces_what_an_older_one_said(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    old = write(tmp_path / "old.xml", "release", [A.xml(), Dumped(2, labels=(3,), artists=(5,)).xml()])
    await load_now(connection, [old])
    changed = Dumped(1, "one!", master=8, released="2000", artists=(6,), labels=(4,))
    new = write(tmp_path / "new.xml", "release", [changed.xml(), Dumped(2, labels=(3,), artists=(5,)).xml()])
    summary = await load_now(connection, [new], NEWER)
    (first, second) = (await content(connection))["release"]
    assert facts_of(first["content"]).country is None  # it is gone from the dump
    assert facts_of(first["content"]).title == "one!"
    assert (first["master_id"], first["issued"], first["stamps"], first["dumped_on"]) == (8, "2000", None, NEWER)
    assert (second["dumped_on"], second["stated_at"].date()) == (NEWER, NEWER)
    assert {tuple(row) for row in await connection.fetch("select * from release_label")} == {(4, 1), (3, 2)}
    assert {tuple(row) for row in await connection.fetch("select * from release_artist")} == {(6, 1), (5, 2)}
    totals = {tuple(row) for row in await connection.fetch("select * from catalogue_total")}
    assert totals == {
        *(("label", 3, 1, NEWER), ("label", 4, 1, NEWER), ("artist", 5, 1, NEWER), ("artist", 6, 1, NEWER)),
        ("master", 8, 1, NEWER),
    }
    told = [
        row[0]
        for row in await connection.fetch("select release_id from load_release where load_id = $1", summary.load_id)
    ]
    assert told == [1]
    fell = await connection.fetch("select kind, id from load_total where load_id = $1", summary.load_id)
    assert {tuple(row) for row in fell} == {("label", 3), ("label", 4), ("artist", 5), ("artist", 6), ("master", 8)}


async def test_an_older_dump_changes_nothing_that_a_newer_one_stated(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    names = write(tmp_path / "l.xml", "label", ["<label><id>3</id><name>new</name></label>"])
    await load_now(connection, [write(tmp_path / "new.xml", "release", [A.xml()]), names], NEWER)
    before = await versions(connection)
    other = Dumped(1, "old", master=8, artists=(6,), labels=(4,))
    names = write(tmp_path / "l.xml", "label", [f"<label><id>{one}</id><name>old</name></label>" for one in (3, 4)])
    await load_now(connection, [write(tmp_path / "old.xml", "release", [other.xml()]), names])
    after = await versions(connection)
    # What only the older one knows is added.
    assert len(after.pop("label")) == len(before.pop("label")) + 1
    assert after == before
    assert dict(await connection.fetch("select * from label")) == {3: "new", 4: "old"}


async def test_a_dump_does_not_shrink_the_world_unless_it_is_complete(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    two = Dumped(2, master=7, artists=(5,), labels=(3,), released="1990")
    await load_now(connection, [write(tmp_path / "a.xml", "release", [A.xml(), two.xml()])])
    await load_now(connection, [write(tmp_path / "b.xml", "release", [A.xml()])], NEWER)
    totals = "select total from catalogue_total where (kind, id) in (('label', 3), ('master', 7)) order by kind"
    assert [row[0] for row in await connection.fetch(totals)] == [2, 2]
    summary = await load_now(connection, [tmp_path / "b.xml"], NEWER, whole=True)
    assert summary.gone == 1
    assert [row[0] for row in await connection.fetch(totals)] == [1, 1]
    assert {tuple(row) for row in await connection.fetch("select * from release_label")} == {(3, 1)}
    # It is still known, and a whole dump without labels takes nothing.
    assert await connection.fetchval("select count(*) from release") == 2
    assert (await load_now(connection, [tmp_path / "b.xml"], NEWER, whole=True)).gone == 0
    # An older dump that has it does not bring it back.
    await load_now(connection, [write(tmp_path / "c.xml", "release", [two.xml()])])
    assert [row[0] for row in await connection.fetch(totals)] == [1, 1]
    # A newer one does.
    await load_now(connection, [tmp_path / "a.xml"], NEWER + timedelta(days=30), whole=True)
    assert [row[0] for row in await connection.fetch(totals)] == [2, 2]


async def describe(connection: asyncpg.Connection[Any], release_id: int, facts: Facts, at: datetime) -> None:
    """What `release.described` leaves in the catalogue."""
    async with connection.transaction():
        said = (await catalogue.load(connection, [release_id])).get(release_id, Entry()).statement
        said.say(facts, Stamp(at, "event", "/editor"))
        await catalogue.save(connection, {release_id: said})


async def facts_now(connection: asyncpg.Connection[Any], release_id: int) -> Statement:
    return (await catalogue.load(connection, [release_id]))[release_id].statement


DAY = datetime(2020, 8, 6, tzinfo=UTC)


async def test_what_was_described_is_overruled_by_time_and_field(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await describe(connection, 1, Facts(title="early", year=1998, genres=("Jazz",)), DAY - timedelta(days=1))
    await describe(connection, 1, Facts(country="Peru"), DAY + timedelta(days=1))
    path = write(tmp_path / "a.xml", "release", [A.xml()])
    await load_now(connection, [path])
    said = await facts_now(connection, 1)
    # Said before the dump: title gives way, what the dump does not say stays. Said after it: stays.
    assert (said.facts.title, said.facts.country) == ("one", "Peru")
    assert (said.facts.year, said.facts.genres) == (1998, ("Jazz",))
    row = (await content(connection))["release"][0]
    # The year that counts is the stated one.
    assert (row["issued"], row["master_id"], row["dumped_on"]) == ("1998", 7, SAMPLE_DAY)
    before = await versions(connection)
    await load_now(connection, [path])
    assert await versions(connection) == before

    # A newer dump takes back what the older one said, and nothing else.
    await load_now(connection, [write(tmp_path / "b.xml", "release", [Dumped(1, "two").xml()])], NEWER)
    said = await facts_now(connection, 1)
    assert said.facts.released is None
    assert (said.facts.title, said.facts.country, said.facts.year) == ("two", "Peru", 1998)
    assert (said.facts.master_id, said.facts.labels) == (None, ())


async def test_what_is_described_after_a_load_wins_until_the_next_dump(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.xml", "release", [A.xml()])
    await load_now(connection, [path])
    await describe(connection, 1, Facts(title="edited"), DAY + timedelta(days=3))
    await load_now(connection, [path])
    assert (await facts_now(connection, 1)).facts.title == "edited"
    await load_now(connection, [path], NEWER)
    said = await facts_now(connection, 1)
    assert (said.facts.title, said.stamps, said.stamp) == (
        "one",
        None,
        Stamp(DAY + timedelta(days=30), f"dump:{NEWER}", SOURCE),
    )


async def test_a_described_version_is_dated_when_its_master_becomes_known(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await describe(connection, 1, Facts(title="x", master_id=7, released="1999"), DAY)
    await connection.execute("update release set master_id = 7, issued = '1999'")
    await load_now(connection, [write(tmp_path / "m.xml", "master", ["<master id='7'><title>m</title></master>"])])
    assert dict(await connection.fetch("select master_id, earliest from master")) == {7: "1999"}


async def test_bad_elements_are_named_and_the_rest_is_loaded(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    bad = ["<release id='2'><title>\x00</title></release>", "<release><title>x</title></release>"]
    path = write(tmp_path / "discogs_20200806_r.xml", "release", [A.xml(), *bad, Dumped(4).xml()])
    heard = Heard()
    summary = await load_now(connection, [path], heard=heard)
    assert [(number, one.line, one.id) for number, one in heard.faults] == [(0, 3, "2"), (0, 4, None)]
    assert (summary.finished, summary.flawless, summary.files[0].bad, summary.files[0].elements) == (True, False, 2, 4)
    assert [row[0] for row in await connection.fetch("select release_id from release order by 1")] == [1, 4]


async def test_a_broken_file_keeps_what_was_loaded_and_the_whole_one_goes_on(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await load_now(connection, FILES)
    expected = await content(connection)
    await empty(connection)

    whole = FILES[3].read_bytes()
    torn = tmp_path / FILES[3].name
    torn.write_bytes(whole[: len(whole) // 2])
    heard = Heard()
    summary = await load_now(connection, [torn, *FILES[:3]], heard=heard)
    ((file, line, why),) = heard.breaks
    assert (file, why, summary.finished) == (0, "the compressed data end too early", False)
    kept = summary.files[0].elements
    assert line == kept + 2  # one element a line, after that of the root
    assert 200 < kept < 500
    assert await connection.fetchval("select count(*) from release") == kept
    assert await connection.fetchval("select count(*) from news") == 0

    before = {
        row[0]: row[1:] for row in await connection.fetch("select release_id, ctid::text, xmin::text from release")
    }
    torn.write_bytes(whole)
    summary = await load_now(connection, [torn])
    assert (summary.finished, summary.files[0].elements) == (True, 700)
    assert await content(connection) == expected
    after = {
        row[0]: row[1:]
        for row in await connection.fetch(
            "select release_id, ctid::text, xmin::text from release where not first_pressing"
        )
    }
    assert all(after[one] == row for one, row in before.items() if one in after)
    assert await connection.fetchval("select count(*) from catalogue_load") == 1


async def test_a_load_that_was_never_ended_is_ended_before_another_day(
    connection: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    torn = write(tmp_path / "a.xml", "release", [A.xml(), Dumped(2).xml()])
    torn.write_bytes(torn.read_bytes()[:-20])
    assert not (await load_now(connection, [torn])).finished
    summary = await load_now(connection, [write(tmp_path / "b.xml", "release", [Dumped(5).xml()])], NEWER)
    assert summary.earlier == [SAMPLE_DAY]
    assert await connection.fetchval("select total from catalogue_total where kind = 'master' and id = 7") == 1
    assert await connection.fetchval("select count(*) from news") == 2
    assert await connection.fetchval("select count(*) from catalogue_load where finished_at is null") == 0


async def test_a_batch_waits_while_somebody_changes_the_catalogue(
    connection: asyncpg.Connection[Any], database: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.xml", "release", [A.xml()])
    other = await connect(database, application="test-worker")
    async with other.transaction():
        await other.execute("select pg_advisory_xact_lock($1)", CATALOGUE_LOCK)
        loading = asyncio.create_task(load_now(connection, [path]))
        await asyncio.sleep(0.5)
        assert not loading.done()
        assert await other.fetchval("select count(*) from release") == 0
    await loading
    # The news waits for bundles that began before it, batches do not.
    async with other.transaction():
        await other.execute("select pg_advisory_xact_lock_shared($1)", CATALOGUE_LOCK)
        loading = asyncio.create_task(load_now(connection, [write(tmp_path / "b.xml", "release", [Dumped(2).xml()])]))
        await asyncio.sleep(0.5)
        assert not loading.done()
        assert await other.fetchval("select count(*) from release") == 2
        assert await other.fetchval("select count(*) from news") == 1
    await loading
    assert await other.fetchval("select count(*) from news") == 2
    await other.close()
