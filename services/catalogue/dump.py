"""A dump file as a stream of pieces: whole elements, a quarter of a megabyte at a time, however large the file is.

Shape:   the stream is cut where an element of the top level begins, which in XML no text can look like; lxml parses the
         pieces (`elements.py`). So an element that is not well-formed costs itself alone, and a load goes on at a byte.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec
from lxml import etree

from services.catalogue.stream import Stream

Kind = Literal["release", "master", "artist", "label"]

PIECE_BYTES: Final = 1 << 18  # small enough for the tree of it to stay in the cache
LARGEST_ELEMENT: Final = 64 << 20
_HEAD_BYTES: Final = 1 << 16
_PROLOGUE: Final = rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>)*"
_ROOT: Final = re.compile(_PROLOGUE + rb"<([A-Za-z][\w.-]*)[^>]*>", re.DOTALL)
_ENCODING: Final = re.compile(rb"""<\?xml[^>]*\bencoding\s*=\s*["']([^"']+)""")
_UTF8: Final = (b"utf-8", b"utf8", b"us-ascii", b"ascii")
_ROOTS: Final[dict[bytes, Kind]] = {
    b"releases": "release",
    b"masters": "master",
    b"artists": "artist",
    b"labels": "label",
}
# Sub-labels are <label>s too: with an id, or without anything inside that is not text.
_BEGIN: Final[dict[Kind, re.Pattern[bytes]]] = {
    "release": re.compile(rb"<release[\s>]"),
    "master": re.compile(rb"<master[\s>]"),
    "artist": re.compile(rb"<artist[\s>]"),
    "label": re.compile(rb"<label>\s*<[a-zA-Z]"),
}
_DATED: Final = re.compile(r"discogs_(\d{4})(\d{2})(\d{2})_")


class NotADump(Exception):
    """The file is not there, or is no dump: nothing of it can be loaded. Says which file and why."""


class Broken(Exception):
    """The file ends, or makes no sense any more, before its end; `line` says where."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class Position(msgspec.Struct, frozen=True):
    """How far a file was read: bytes of XML, lines before them, and their checksum, by which it is known again."""

    bytes: int = 0
    lines: int = 0
    checksum: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole elements; `line` is that of the first byte, `end` where to go on, `read` the bytes of the file so far."""

    data: bytes
    line: int
    end: Position
    read: int


def date_in(name: str) -> date | None:
    """The date in a name like `discogs_20200806_releases.xml.gz`; None where there is none."""
    if match := _DATED.search(name):
        try:
            return date(*(int(part) for part in match.groups()))
        except ValueError:
            return None
    return None


def begins(kind: Kind, data: bytes) -> list[int]:
    """Where each element of the top level begins."""
    return [match.start() for match in _BEGIN[kind].finditer(data)]


def kind_of(path: Path) -> Kind:
    """What is in a file, by its root element.

    Raises:  NotADump.
    """
    try:
        with path.open("rb") as file:
            stream = Stream(file)
            return _head(stream, path)[0]
    except OSError as error:
        raise NotADump(f"{path}: {error.strerror or error}") from error


def pieces(path: Path, start: Position | None = None, size: int = PIECE_BYTES) -> Iterator[Piece]:
    """The elements of a file, in pieces of about `size` bytes; from `start` on, where the file is the same up to there.

    Raises:  NotADump; Broken after everything before the break was answered.
    """
    try:
        with path.open("rb") as file:
            if start is not None:
                stream = Stream(file)
                kind, _, buffer = _head(stream, path)
                if _skip(stream, buffer, start):
                    yield from _cut(stream, buffer, kind, start, size)
                    return
                file.seek(0)
            stream = Stream(file)
            kind, root, buffer = _head(stream, path)
            at = _after(Position(), bytes(buffer[:root]))
            del buffer[:root]
            yield from _cut(stream, buffer, kind, at, size)
    except OSError as error:
        raise NotADump(f"{path}: {error.strerror or error}") from error


def _cut(stream: Stream, buffer: bytearray, kind: Kind, at: Position, size: int) -> Iterator[Piece]:
    """What is left, piece by piece; the end of the last one is the end of the last element."""
    most = size
    while True:
        while len(buffer) < most and (more := stream.read()):
            buffer += more
        if len(buffer) < most:
            break
        if cut := _last_begin(kind, buffer, most):
            data = bytes(buffer[:cut])
            del buffer[:cut]
            yield Piece(data, at.lines + 1, at := _after(at, data), stream.taken)
            most = size
        elif most >= LARGEST_ELEMENT:
            raise Broken(at.lines + 1, f"no {kind} ends within {LARGEST_ELEMENT:,} bytes")
        else:
            most *= 2
    rest = bytes(buffer)
    lines = at.lines + rest.count(b"\n")
    whole = rest.rfind(f"</{kind}s>".encode())
    torn = whole < 0
    if torn:
        whole = _whole(kind, rest)
    if rest[:whole].strip():
        data = rest[:whole]
        yield Piece(data, at.lines + 1, _after(at, data), stream.taken)
    if torn or stream.fault is not None:
        raise Broken(lines + 1, stream.fault or f"the file ends before </{kind}s>")


def _whole(kind: Kind, rest: bytes) -> int:
    """Of what was there when the file broke off, how much is whole elements: the last one may be over or torn."""
    starts, close = begins(kind, rest), f"</{kind}>".encode()
    last = starts[-1] if starts else 0
    end = rest.rfind(close, last) + len(close)
    try:
        etree.fromstring(rest[last:end])
    except etree.XMLSyntaxError:
        return last
    return end


def _last_begin(kind: Kind, buffer: bytearray, before: int) -> int | None:
    """Where the last element begins before a place, if it is not the first one."""
    tag, begin = f"<{kind}".encode(), _BEGIN[kind]
    first = begin.search(buffer)
    at = before
    while first and (at := buffer.rfind(tag, first.end(), at)) > 0:
        if begin.match(buffer, at):
            return at
    return None


def _after(at: Position, data: bytes) -> Position:
    return Position(at.bytes + len(data), at.lines + data.count(b"\n"), zlib.crc32(data, at.checksum))


def _head(stream: Stream, path: Path) -> tuple[Kind, int, bytearray]:
    """What the file holds, where that begins, and all that was read to know it."""
    buffer = bytearray()
    while len(buffer) < _HEAD_BYTES and (more := stream.read()):
        buffer += more
    head = bytes(buffer[:_HEAD_BYTES])
    if not head.strip():
        raise NotADump(f"{path}: {stream.fault or 'the file is empty'}")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NotADump(f"{path}: is UTF-16; dumps are UTF-8")
    declared = _ENCODING.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())
    if declared and declared[1].lower() not in _UTF8:
        raise NotADump(f"{path}: is {declared[1].decode('ascii', 'replace')}; dumps are UTF-8")
    root = _ROOT.match(head)
    if root is None or root[1] not in _ROOTS:
        found = f"<{root[1].decode('ascii', 'replace')}>" if root else "no XML"
        if stream.fault is not None:
            raise NotADump(f"{path}: {stream.fault}")
        raise NotADump(f"{path}: {found} is not the beginning of a dump of releases, masters, artists or labels")
    kind = _ROOTS[root[1]]
    if root[0].endswith(b"/>"):
        buffer[root.end() : root.end()] = f"</{kind}s>".encode()
    return kind, root.end(), buffer


def _skip(stream: Stream, buffer: bytearray, start: Position) -> bool:
    """Leave out what was read before; whether it is the same. `buffer` then begins behind it."""
    left, checksum = start.bytes, 0
    while True:
        part = bytes(buffer[:left])
        checksum = zlib.crc32(part, checksum)
        left -= len(part)
        del buffer[: len(part)]
        if not left:
            return checksum == start.checksum
        more = stream.read()
        if not more:
            return False
        buffer += more
