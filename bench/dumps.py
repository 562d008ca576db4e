"""Dumps as large as one likes: the committed sample again and again, under other ids."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

SAMPLE: Final = Path(__file__).parents[1] / "tests" / "data" / "dump" / "discogs_20200806_releases_sample.xml.gz"
# On how many turns of the sample an id lives, as it has so many releases in the whole of Discogs.
SHARED: Final = {"label": 8, "artist": 3, "master": 4}
_ROUND: Final = 20_000_000  # above every id of the sample
KINDS: Final = ("release", *SHARED)
HUBS: Final = (0, 194, 355, 118760)
_IDS: Final = re.compile(
    r'(?P<release><release id=")(?P<release_id>\d+)'
    r"|(?P<artist><artist><id>)(?P<artist_id>\d+)"
    r'|(?P<label><label name="[^"]*" catno="[^"]*" id=")(?P<label_id>\d+)'
    r"|(?P<master><master_id[^>]*>)(?P<master_id>\d+)"
)


@cache
def sample() -> tuple[tuple[tuple[str, str, int], ...], ...]:
    """The releases of the sample, each cut at its ids: the text before one, what it is of, the id."""
    text = gzip.decompress(SAMPLE.read_bytes()).decode()
    found = []
    for element in re.findall(r"<release id=.*?</release>\n", text, re.DOTALL):
        parts, end = [], 0
        for match in _IDS.finditer(element):
            kind = next(kind for kind in KINDS if match[kind])
            id_ = int(match[f"{kind}_id"])
            if id_ not in HUBS:
                parts.append((element[end : match.end(kind)], kind, id_))
                end = match.end()
        found.append((*parts, (element[end:], "", 0)))
    return tuple(found)


def releases(count: int) -> Iterator[str]:
    """So many releases with ids from 1, rising; labels, artists and masters recur all over the dump."""
    turns = -(-count // len(sample()))
    for number in range(count):
        turn, place = divmod(number, len(sample()))
        shift = {kind: turn % max(1, turns // shared) * _ROUND for kind, shared in SHARED.items()}
        *parts, last = sample()[place]
        texts = [f"{text}{number + 1 if kind == 'release' else id_ + shift[kind]}" for text, kind, id_ in parts]
        yield "".join(texts) + last[0]


def write_releases(path: Path, count: int) -> int:
    """A dump of so many releases; bytes of XML."""
    size = 0
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"<releases>\n")
        for one in releases(count):
            size += file.write(one.encode())
        file.write(b"</releases>\n")
    return size
