"""What an element says: against an independent reading of the sample, and element by element where it is wrong."""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import etree

from services.catalogue.batches import Batch, batches
from services.catalogue.dump import Kind
from services.catalogue.names import artist_of, label_of, master_of
from services.catalogue.people import HUBS
from services.catalogue.releases import release_of
from services.catalogue.roles import makes_music
from services.state.facts import Facts, state_of

DUMPS = Path(__file__).parents[2] / "data" / "dump"


def elements(kind: str) -> list[tuple[ET.Element, Any]]:
    """Each element of the sample, as two libraries read it."""
    content = gzip.decompress((DUMPS / f"discogs_20200806_{kind}_sample.xml.gz").read_bytes())
    return list(zip(ET.fromstring(content), etree.fromstring(content), strict=True))


def as_stated(element: ET.Element) -> SimpleNamespace:
    """The release as an event would state it."""

    def texts(path: str, inner: str) -> list[str] | None:
        return None if (found := element.find(path)) is None else [one.text or "" for one in found.findall(inner)]

    def linked(id_: str | None) -> int | None:
        return int(id_) if id_ and int(id_) > 0 else None

    artists = [
        SimpleNamespace(id=linked(one.findtext("id")), name=one.findtext("name"))
        for one in element.findall("artists/artist")
    ]
    labels = [
        SimpleNamespace(id=linked(one.get("id")), name=one.get("name")) for one in element.findall("labels/label")
    ]
    formats = [
        SimpleNamespace(name=one.get("name"), descriptions=[d.text for d in one.findall("descriptions/description")])
        for one in element.findall("formats/format")
    ]
    master = element.findtext("master_id")
    return SimpleNamespace(
        title=element.findtext("title"),
        master_id=int(master) if master else None,
        year=None,
        released=element.findtext("released"),
        country=element.findtext("country"),
        artists=artists,
        labels=labels,
        formats=formats,
        genres=texts("genres", "genre"),
        styles=texts("styles", "style"),
        have=None,
    )


def test_a_release_says_what_an_event_would() -> None:
    for theirs, ours in elements("releases"):
        found = release_of(ours, 2021)
        assert found.release_id == int(theirs.get("id") or 0)
        assert found.facts == state_of(as_stated(theirs), 2020)
        assert found.facts.content == state_of(as_stated(theirs), 2020).content


def test_labels_and_artists_that_count() -> None:
    for theirs, ours in elements("releases"):
        found = release_of(ours, 2021)
        stated = as_stated(theirs)
        labels = {one.id for one in stated.labels if one.id and not one.name.startswith("Not On Label")}
        assert set(found.labels) == labels
        assert set(found.artists) == {one.id for one in stated.artists if one.id} - HUBS
        assert len(found.labels) == len(labels)
        assert len(found.artists) == len(set(found.artists))


def test_people_are_those_that_made_music_together() -> None:
    joined = 0
    for theirs, ours in elements("releases"):
        main = {int(one.findtext("id") or 0) for one in theirs.findall("artists/artist")}
        compiled = 194 in main or any(one.text == "Compilation" for one in theirs.iter("description"))
        credits = [
            one for one in theirs.findall("extraartists/artist") if not (compiled and (one.findtext("tracks") or ""))
        ]
        if not compiled:
            credits += theirs.findall(".//track/extraartists/artist")
        everybody = main | {int(c.findtext("id") or 0) for c in credits if makes_music(c.findtext("role") or "")}
        everybody -= HUBS
        if len(everybody) > 30:
            everybody = main - HUBS
        expected = sorted(everybody) if 2 <= len(everybody) <= 30 else None
        assert release_of(ours, 2021).people == expected
        joined += expected is not None
    assert 200 < joined < 600


def test_names() -> None:
    for theirs, ours in elements("labels"):
        assert label_of(ours) == (int(theirs.findtext("id") or 0), theirs.findtext("name"))
    for theirs, ours in elements("artists"):
        members = [int(one.get("id") or 0) for one in theirs.findall("members/name")]
        assert artist_of(ours) == (int(theirs.findtext("id") or 0), theirs.findtext("name"), members)
    for theirs, ours in elements("masters"):
        year = int(theirs.findtext("year") or 0)
        assert master_of(ours, 2021) == (int(theirs.get("id") or 0), theirs.findtext("title"), year or None)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", Facts()),
        ("<title/><country/><released></released>", Facts()),
        ("<styles/><genres></genres>", Facts(styles=(), genres=())),
        ("<artists/><labels/><formats/>", Facts(artists=(), labels=(), formats=())),
        ("<released>?</released>", Facts(released="")),
        ("<released>0000</released>", Facts(released="")),
        ("<released>1859-01-01</released>", Facts(released="")),
        ("<released>2022</released>", Facts(released="")),
        ("<released>2021</released>", Facts(released="2021")),
        ("<released>07 Apr 2017</released>", Facts(released="07 Apr 2017")),
        ("<master_id>0</master_id>", Facts(master_id=0)),
        ("<master_id/>", Facts()),
        ("<labels><label name='Not On Label' catno='none' id='0'/></labels>", Facts(labels=((None, "Not On Label"),))),
        ("<artists><artist><id>0</id><name>X</name></artist></artists>", Facts(artists=((None, "X"),))),
        ("<formats><format name='CD' qty='1' text=''/></formats>", Facts(formats=(("CD", ()),))),
        ('<title>a &amp; \\ "b"&#10;c\t</title>', Facts(title='a & \\ "b"\nc\t')),
        ("<title>a<!-- b -->c</title>", Facts(title="ac")),
    ],
)
def test_absent_empty_and_odd(inside: str, expected: Facts, tmp_path: Path) -> None:
    (batch,) = read(tmp_path, "release", f"<release id='7'>{inside}</release>")
    assert batch.bad == []
    content = batch.rows.decode().split("\t")[2].replace("\\\\", "\\")
    assert content == expected.content.decode()


def read(folder: Path, kind: Kind, *inside: str | bytes) -> list[Batch]:
    path = folder / f"{kind}.xml"
    lines = [one if isinstance(one, bytes) else one.encode() for one in inside]
    path.write_bytes(b"\n".join([f"<{kind}s>".encode(), *lines, f"</{kind}s>".encode()]))
    return list(batches(path, date(2020, 8, 6)))


GOOD = "<release id='{}'><title>x</title></release>"
LONG = "x" * 4001


@pytest.mark.parametrize(
    ("element", "id_", "why"),
    [
        ("<release><title>x</title></release>", None, "no id"),
        ("<release id=''/>", None, "no id"),
        ("<release id='0'/>", "0", "id 0 is none"),
        ("<release id='-5'/>", "-5", "id '-5' is no number"),
        ("<release id='7x'/>", "7x", "is no number"),
        ("<release id='９'/>", "９", "is no number"),
        (f"<release id='{2**63}'/>", str(2**63), "is no number from 0 to 9223372036854775807"),
        (f"<release id='{'9' * 5000}'/>", "9" * 40, "is no number"),
        ("<release id='5'><master_id>many</master_id></release>", "5", "master_id 'many' is no number"),
        ("<release id='5'><artists><artist><id>x</id></artist></artists></release>", "5", "id 'x' is no number"),
        (f"<release id='5'><title>{LONG}</title></release>", "5", "a text of 4,001 characters; 4,000 at most"),
        (f"<release id='5'><styles><style>{LONG}</style></styles></release>", "5", "4,001"),
        ("<release id='5'><title>a\x00b</title></release>", "5", "Char"),
        ("<release id='5'><title>a&#0;b</title></release>", "5", "invalid"),
        ("<release id='5'><title>a\x0bb</title></release>", "5", "Char"),
        ("<release id='5'><title>&unknown;</title></release>", "5", "unknown"),
        (b"<release id='5'><title>\xff\xfe</title></release>", "5", "encod|UTF-8"),
        ("<release id='5'><title>a</country></release>", "5", "mismatch"),
        ("<release id='5'><title>a</title>", "5", "mismatch"),
        ("<release id='5' id='6'></release>", "5", "redefined"),
        ("<release id='5'><title>&#xD800;</title></release>", "5", "invalid"),
        ("<release id='5'>" + "<a>" * 300 + "</a>" * 300 + "</release>", "5", "depth|deep"),
    ],
)
def test_a_bad_element_costs_itself_alone(element: str | bytes, id_: str | None, why: str, tmp_path: Path) -> None:
    (batch,) = read(tmp_path, "release", GOOD.format(1), GOOD.format(2), element, "", GOOD.format(3))
    (bad,) = batch.bad
    assert (bad.line, bad.id) == (4, id_)
    assert re.search(why, bad.why), bad.why
    assert "\n" not in bad.why
    assert [line.split("\t")[0] for line in batch.rows.decode().splitlines()] == ["1", "2", "3"]
    assert (batch.count, batch.elements) == (3, 4)


@pytest.mark.parametrize(
    ("kind", "good", "element", "id_"),
    [
        ("label", "<label><id>1</id><name>x</name></label>", "<label><name>x</name></label>", None),
        ("label", "<label><id>1</id><name>x</name></label>", "<label><id>7</id></label>", "7"),
        ("artist", "<artist><id>1</id><name>x</name></artist>", "<artist><id>8</id><name>\x01</name></artist>", "8"),
        (
            "artist",
            "<artist><id>1</id><name>x</name></artist>",
            f"<artist><id>8</id><name>{LONG}</name></artist>",
            "8",
        ),
        ("master", "<master id='1'><title>x</title></master>", "<master id='y'><title>x</title></master>", "y"),
    ],
)
def test_the_same_of_names(kind: Kind, good: str, element: str, id_: str | None, tmp_path: Path) -> None:
    (batch,) = read(tmp_path, kind, good, element)
    assert [(bad.line, bad.id) for bad in batch.bad] == [(3, id_)]
    assert batch.count == 1


def test_something_else_between_is_reported(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, "release", GOOD.format(1), "<video/>", GOOD.format(2))
    assert [(bad.line, bad.why) for bad in batch.bad] == [(3, "<video> is no release")]
    assert batch.count == 2
    (batch,) = read(tmp_path, "release", "<video>", GOOD.format(1))
    assert batch.bad[0].line == 1
    assert batch.count == 1


def test_of_two_with_one_id_the_later_one_counts(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, "label", *[f"<label><id>1</id><name>{name}</name></label>" for name in "ab"])
    assert batch.rows == b"1\tb\n"


def test_a_text_cannot_break_out_of_its_row(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, "label", "<label><id>1</id><name>a&#9;b&#10;c\\N&#13;</name></label>")
    assert batch.rows == b"1\ta\\tb\\nc\\\\N\\r\n"
