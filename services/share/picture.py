"""PNG of a card: drawn in a process of its own, for the renderer lets no other thread of its process run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from services.pool import Pool
from services.share import fonts

CACHE_BYTES: Final = 16_000_000
DRAW_SECONDS: Final = 10.0


class Pictures:
    """PNG by the content of their SVG: one is drawn at a time, the last ones are kept."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._pool = Pool(1)
        self._drawing = asyncio.Lock()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._room = cache_bytes
        self.drawn = 0

    async def png(self, svg: str) -> bytes:
        """The picture of a card.

        Raises:  services.pool.Died; TimeoutError where it takes too long, waiting for others included.
        """
        name = blake2b(svg.encode(), digest_size=16).digest()
        if name not in self._kept:
            async with asyncio.timeout(DRAW_SECONDS), self._drawing:
                if name not in self._kept:
                    self._keep(name, await self._pool.run(draw, svg, fonts.files()))
        self._kept.move_to_end(name)
        return self._kept[name]

    def close(self) -> None:
        """End the process that draws."""
        self._pool.close()

    def _keep(self, name: bytes, png: bytes) -> None:
        self.drawn += 1
        self._kept[name] = png
        self._room -= len(png)
        while self._room < 0 and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._room += len(oldest)


def draw(svg: str, font_files: list[str]) -> bytes:
    """The SVG as PNG, with these fonts and no others."""
    import resvg_py

    return resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=font_files)
