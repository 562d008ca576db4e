"""A dump file is cut into whole elements, wherever the pieces end, and known again by its bytes."""

from __future__ import annotations

import gzip
import zlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.dump import Broken, Kind, NotADump, Piece, Position, date_in, kind_of, pieces

DUMPS = Path(__file__).parents[2] / "data" / "dump"
KINDS: dict[str, Kind] = {"releases": "release", "masters": "master", "artists": "artist", "labels": "label"}


def sample(kind: str) -> bytes:
    return gzip.decompress((DUMPS / f"discogs_20200806_{kind}_sample.xml.gz").read_bytes())


def until_broken(path: Path, size: int, why: str) -> tuple[list[Piece], Broken]:
    """The pieces before the break, and the break."""
    found: list[Piece] = []
    stream = pieces(path, None, size)
    with pytest.raises(Broken, match=why) as broken:
        found.extend(stream)
    return found, broken.value


def all_of(path: Path, start: Position | None = None, size: int = 1 << 18) -> list[Piece]:
    return list(pieces(path, start, size))


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_told_by_the_root(kind: str, tmp_path: Path) -> None:
    assert kind_of(DUMPS / f"discogs_20200806_{kind}_sample.xml.gz") == KINDS[kind]
    other = tmp_path / "labels.txt"
    other.write_bytes(b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<!-- x -->\n' + sample(kind))
    assert kind_of(other) == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [100, 5_000, 1 << 18, 1 << 24])
def test_pieces_are_the_file(kind: str, size: int) -> None:
    path = DUMPS / f"discogs_20200806_{kind}_sample.xml.gz"
    found = all_of(path, size=size)
    whole = sample(kind)
    head = len(f"<{kind}>")
    joined = b"".join(piece.data for piece in found)
    assert joined == whole[head : head + len(joined)]
    assert whole[head + len(joined) :].strip() == f"</{kind}>".encode()
    for piece in found:
        assert piece.data.strip().endswith(f"</{KINDS[kind]}>".encode())
        assert piece.line == 1 + whole[: piece.end.bytes - len(piece.data)].count(b"\n")
        assert piece.end.checksum == zlib.crc32(whole[: piece.end.bytes])
    assert found[-1].read == path.stat().st_size
    assert len(found) > 1 or size > len(whole)


@pytest.mark.parametrize("size", [3_000, 70_000])
def test_from_any_end_it_goes_on(size: int) -> None:
    path = DUMPS / "discogs_20200806_labels_sample.xml.gz"
    found = all_of(path, size=size)
    for number, piece in enumerate(found):
        assert all_of(path, piece.end, size) == found[number + 1 :]


def test_another_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    first = all_of(DUMPS / "discogs_20200806_labels_sample.xml.gz", size=3_000)[3].end
    other = tmp_path / "x.xml"
    other.write_bytes(sample("labels").replace(b"Planet E", b"Planet F"))
    assert all_of(other, first) == all_of(other)
    short = tmp_path / "y.xml"
    short.write_bytes(b"<labels>\n</labels>")
    assert all_of(short, first) == []


def test_sub_labels_are_no_elements_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "labels.xml"
    one = b"<label><id>%d</id><name>x</name><sublabels>%b</sublabels></label>"
    subs = b'<label id="7">A</label><label>B</label><label /><label></label>'
    path.write_bytes(b"<labels>" + b"".join(one % (number, subs) for number in range(1, 6)) + b"</labels>")
    found = all_of(path, size=10)
    assert [piece.data.count(b"<id>") for piece in found] == [1] * 5


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_file_that_breaks_off_gives_all_whole_elements_before(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = sample("labels")[:20_000]
    cut = data.draw(st.integers(9, len(whole)))
    path = tmp_path_factory.mktemp("torn") / "labels.xml"
    path.write_bytes(whole[:cut])
    size = data.draw(st.sampled_from([500, 5_000, 50_000]))
    found, broken = until_broken(path, size, "ends before </labels>")
    assert broken.line == 1 + whole[:cut].count(b"\n")
    joined = b"".join(piece.data for piece in found)
    # Every label has a data_quality, and nothing inside of a label has one.
    assert joined.count(b"<data_quality>") == whole[:cut].count(b"</label>\n") + whole[:cut].endswith(
        (b"</data_quality></label>", b"</sublabels></label>", b"</parentLabel></label>")
    )


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.99])
def test_a_truncated_packed_file_gives_what_it_holds(keep: float, tmp_path: Path) -> None:
    packed = gzip.compress(sample("masters"))
    path = tmp_path / "masters.xml.gz"
    path.write_bytes(packed[: int(len(packed) * keep)])
    found, _ = until_broken(path, 10_000, "compressed data end too early")
    held = zlib.decompressobj(31).decompress(path.read_bytes())
    assert b"".join(piece.data for piece in found).count(b"</master>") == held.count(b"</master>")


def test_a_damaged_packed_file_breaks(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(sample("masters")))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "masters.xml.gz"
    path.write_bytes(packed)
    with pytest.raises(Broken, match=r"damaged|ends before"):
        all_of(path)
    packed = bytearray(gzip.compress(sample("masters")))
    packed[-6] ^= 0xFF  # the checksum
    path.write_bytes(packed)
    with pytest.raises(Broken, match="damaged"):
        all_of(path)


def test_several_packed_members_are_one_stream(tmp_path: Path) -> None:
    whole = sample("labels")
    path = tmp_path / "labels.xml.gz"
    path.write_bytes(gzip.compress(whole[:5_000]) + gzip.compress(whole[5_000:]) + b"\0" * 512)
    plain = tmp_path / "labels.xml"
    plain.write_bytes(whole)
    assert [(one.data, one.line, one.end) for one in all_of(path)] == [
        (one.data, one.line, one.end) for one in all_of(plain)
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"release_id,date_added\n", "no XML is not the beginning of a dump"),
        (b"<html><body/></html>", "<html> is not the beginning"),
        (b"<release id='1'/>", "<release> is not the beginning"),
        ("<labels></labels>".encode("utf-16"), "UTF-16"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><labels></labels>', "ISO-8859-1"),
        (gzip.compress(b"x")[:12], "end too early"),
        (b'<!DOCTYPE labels [<!ENTITY a "b">]><labels></labels>', "no XML"),
    ],
)
def test_what_is_no_dump_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "discogs_20200806_labels.xml"
    path.write_bytes(content)
    for refuse in (kind_of, all_of):
        with pytest.raises(NotADump, match=why) as refused:
            refuse(path)
        assert str(path) in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotADump, match="No such file"):
        kind_of(tmp_path / "x")


@pytest.mark.parametrize("content", [b"<artists/>", b"<artists></artists>", b"<artists>\n\n</artists>\n"])
def test_an_empty_dump_has_no_elements(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    assert all_of(path) == []


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("discogs_20200806_releases.xml.gz", date(2020, 8, 6)),
        ("discogs_20200806_labels_sample.xml", date(2020, 8, 6)),
        ("discogs_20201341_labels.xml.gz", None),
        ("releases.xml.gz", None),
    ],
)
def test_the_day_in_a_name(name: str, day: date | None) -> None:
    assert date_in(name) == day
