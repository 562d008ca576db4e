"""What browsers load beside the pages: our own style and script, and what npm brought; named by their content."""

from __future__ import annotations

import functools
import gzip
import re
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from catalog.icon import COLOURS

HERE: Final = Path(__file__).parent
FOLDERS: Final = (HERE / "static", HERE / "vendor")
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
_REFERENCE: Final = re.compile(r'url\("([\w.-]+)"\)')


class Asset(NamedTuple):
    """One file as it is sent, plain and compressed."""

    media_type: str
    plain: bytes
    packed: bytes


class Assets:
    """The files of the pages, read once; `url("x.css")` changes with the content, so that it is kept for ever.

    Raises:  FileNotFoundError from `url` for what is not there: `make` fetches what is not ours.
    """

    def __init__(self) -> None:
        self._files = {path.name: path for folder in FOLDERS for path in folder.glob("*.*") if path.suffix in TYPES}
        self._made: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}

    def url(self, name: str) -> str:
        """Where the file is served."""
        if name not in self._urls:
            if name not in self._files:
                raise FileNotFoundError(f"the pages lack {name}: run `make`, or `python -m services.pages.fetch`")
            content = self._files[name].read_bytes()
            if name == "page.css":
                content = tones().encode() + content
            if name.endswith(".css"):
                content = _REFERENCE.sub(lambda found: f'url("{self.url(found[1])}")', content.decode()).encode()
            stem, dot, ending = name.rpartition(".")
            served = f"{stem}.{blake2b(content, digest_size=6).hexdigest()}{dot}{ending}"
            self._made[served] = Asset(TYPES[dot + ending], content, gzip.compress(content, mtime=0))
            self._urls[name] = f"/static/{served}"
        return self._urls[name]

    def find(self, served: str) -> Asset | None:
        """The file of an address that `url` gave, by this process or another with the same files."""
        if served not in self._made:
            stem, _, ending = served.rpartition(".")
            name = f"{stem.rpartition('.')[0]}.{ending}"
            if name in self._files:
                self.url(name)
        return self._made.get(served)


@functools.cache
def assets() -> Assets:
    """The files of this process."""
    return Assets()


def tones() -> str:
    """The colours of the icons, for what stands beside them: a class for each tier."""
    return "".join(
        f".t-{tier or 'special'} {{ --body: {one.body}; --light: {one.light}; --deep: {one.deep}; }}\n"
        for tier, one in COLOURS.items()
    )
