"""Small dumps as tests need them: written from plain values, loaded without a process, and read back."""

from __future__ import annotations

import gzip
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import asyncpg

from services.catalogue.batches import Bad
from services.catalogue.dump import kind_of
from services.catalogue.load import File, Summary, load
from services.catalogue.reader import Over, Read, ToRead, messages

SAMPLES = Path(__file__).parents[1] / "data" / "dump"
SAMPLE_DAY = date(2020, 8, 6)
TABLES = (
    *("release", "facts", "release_label", "release_artist", "label", "artist", "master", "catalogue_total"),
    *("catalogue_load", "load_release", "load_total", "load_file", "load_touched", "news"),
)


@dataclass(frozen=True)
class Dumped:
    """A release of a dump."""

    id: int
    title: str = "x"
    master: int | None = None
    released: str | None = None
    artists: Sequence[int] = ()
    labels: Sequence[int] = ()
    descriptions: Sequence[str] = ()
    country: str | None = None

    def xml(self) -> str:
        """The element."""
        parts = [f"<title>{escape(self.title)}</title>"]
        parts += [f"<country>{self.country}</country>"] if self.country else []
        parts += [f"<released>{self.released}</released>"] if self.released else []
        parts += [f"<master_id is_main_release='true'>{self.master}</master_id>"] if self.master else []
        artists = "".join(f"<artist><id>{one}</id><name>a{one}</name></artist>" for one in self.artists)
        labels = "".join(f"<label name={quoteattr(label_name(one))} catno='c' id='{one}'/>" for one in self.labels)
        described = "".join(f"<description>{escape(one)}</description>" for one in self.descriptions)
        parts += [f"<artists>{artists}</artists><labels>{labels}</labels>"]
        parts += [f"<formats><format name='Vinyl'><descriptions>{described}</descriptions></format></formats>"]
        return f"<release id='{self.id}'>{''.join(parts)}</release>"


def label_name(id_: int) -> str:
    """Label 9 is none."""
    return "Not On Label (Somebody Self-released)" if id_ == 9 else f"l{id_}"


def write(path: Path, kind: str, elements: Iterable[str]) -> Path:
    """A dump file; packed, if its name says so."""
    content = "\n".join([f"<{kind}s>", *elements, f"</{kind}s>\n"]).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@dataclass
class Heard:
    """What a load told its watcher."""

    faults: list[tuple[int, Bad]] = field(default_factory=list)
    breaks: list[tuple[int, int, str]] = field(default_factory=list)

    def read(self, file: int, done: int, elements: int) -> None: ...

    def bad(self, file: int, bad: Bad) -> None:
        self.faults.append((file, bad))

    def broken(self, file: int, line: int, why: str) -> None:
        self.breaks.append((file, line, why))

    def step(self, what: str, done: int) -> None: ...


async def here(files: Sequence[ToRead], as_of: date) -> AsyncGenerator[Read | Over, None]:
    """The reader, without a process of its own."""
    for message in messages(files, as_of):
        yield message


async def load_now(
    connection: asyncpg.Connection[Any],
    paths: Iterable[Path],
    as_of: date = SAMPLE_DAY,
    *,
    whole: bool = False,
    heard: Heard | None = None,
) -> Summary:
    """Load these files."""
    files = [File(path, kind_of(path)) for path in paths]
    return await load(connection, files, as_of, whole=whole, watch=heard or Heard(), source=here)


async def empty(connection: asyncpg.Connection[Any]) -> None:
    """Forget the catalogue."""
    await connection.execute(f"truncate {', '.join(TABLES)}")


async def content(connection: asyncpg.Connection[Any]) -> dict[str, list[Mapping[str, Any]]]:
    """What the catalogue says, without what names a load: to compare two ways of loading."""
    found = {}
    for table in ("release_label", "release_artist", "label", "artist", "master", "catalogue_total"):
        found[table] = sorted((dict(row) for row in await connection.fetch(f"select * from {table}")), key=repr)  # noqa: S608
    releases = await connection.fetch(
        "select r.*, f.content::text as content from release r join facts f on f.facts_id = r.facts_id"
        " order by r.release_id"
    )
    found["release"] = [{name: value for name, value in row.items() if name != "facts_id"} for row in releases]
    return found


async def versions(connection: asyncpg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Which transaction wrote each row: equal, where nothing was written."""
    return {
        table: sorted(tuple(row) for row in await connection.fetch(f"select ctid::text, xmin::text from {table}"))  # noqa: S608
        for table in TABLES[:8]
    }
