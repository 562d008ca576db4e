"""The bytes of a dump file, unpacked where it is packed, as far as it can be read."""

from __future__ import annotations

import zlib
from typing import BinaryIO, Final

_READ_BYTES: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"


class Stream:
    """The XML of a file, unpacked if it is packed; where it cannot be read on, `fault` says why and it ends."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.taken = 0  # bytes of the file
        self.fault: str | None = None
        head = file.read(2)
        file.seek(0)
        self._packed = head == _GZIP
        self._inflate = zlib.decompressobj(31)
        self._rest = b""

    def read(self) -> bytes:
        """The next bytes; none at the end."""
        if not self._packed:
            found = self._file.read(_READ_BYTES)
            self.taken += len(found)
            return found
        while self.fault is None:
            if self._inflate.eof:
                self._rest = (self._inflate.unused_data or self._more()).lstrip(b"\0")
                if not self._rest:
                    return b""
                self._inflate = zlib.decompressobj(31)
            given = self._rest or self._more()
            if not given:
                self.fault = "the compressed data end too early"
                return b""
            try:
                found = self._inflate.decompress(given, _READ_BYTES)
            except zlib.error as error:
                self.fault = f"the compressed data are damaged ({str(error).rpartition(': ')[2]})"
                return b""
            self._rest = self._inflate.unconsumed_tail
            if found:
                return found
        return b""

    def _more(self) -> bytes:
        found = self._file.read(_READ_BYTES)
        self.taken += len(found)
        return found
