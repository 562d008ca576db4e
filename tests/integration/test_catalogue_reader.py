"""Several processes read one dump: together they say what one says, in its order."""

from __future__ import annotations

import contextlib
import gzip
from datetime import date
from pathlib import Path

import msgspec
import pytest

from bench.dumps import write_releases
from services.catalogue.reader import Over, Read, ReaderDied, ToRead, messages, read
from tests.integration.dumps import SAMPLES

DAY = date(2020, 8, 6)


def told(message: Read | Over) -> Read | Over:
    """Without what differs from run to run, and which of them was the first to meet a genre or a style."""
    if isinstance(message, Over):
        return msgspec.structs.replace(message, resident=0)
    return msgspec.structs.replace(message, batch=msgspec.structs.replace(message.batch, values=[]))


def values(said: list[Read | Over]) -> set[tuple[str, str]]:
    """All genres, styles and so on that were told of."""
    return {value for message in said if isinstance(message, Read) for value in message.batch.values}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[ToRead]:
    """A dump of several batches, one that breaks off, and one of a single batch."""
    folder = tmp_path_factory.mktemp("dumps")
    whole, torn = folder / "a.xml.gz", folder / "b.xml"
    write_releases(whole, 9_000)
    torn.write_bytes(gzip.decompress(whole.read_bytes())[:20_000_000])
    return [ToRead(str(one)) for one in (whole, torn, SAMPLES / "discogs_20200806_labels_sample.xml.gz")]


@pytest.mark.parametrize("readers", [1, 2, 3])
async def test_they_say_the_same(files: list[ToRead], readers: int) -> None:
    alone = list(messages(files, DAY))
    expected = [told(message) for message in alone]
    assert len(expected) > 8
    async with contextlib.aclosing(read(files, DAY, readers)) as stream:
        together = [message async for message in stream]
    assert [told(message) for message in together] == expected
    assert values(together) == values(alone) > {("genre", "Rock")}
    batches = [message.batch for message in expected if isinstance(message, Read) and message.file == 0]
    # From the end of any batch the rest follows.
    start = batches[1].end
    rest = [told(message) for message in messages([ToRead(files[0].path, start)], DAY)]
    assert [message.batch for message in rest if isinstance(message, Read)] == batches[2:]


async def test_a_reader_that_dies_is_told(files: list[ToRead], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ReaderDied, match="ended with 1"):
        async with contextlib.aclosing(read(files, DAY)) as stream:
            await anext(stream)
