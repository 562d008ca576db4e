"""Dump files are read in a process of their own, so that parsing and merging take a core each."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import resource
import signal
import struct
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Final

import msgspec

from services.catalogue.batches import Batch, batches
from services.catalogue.dump import Broken, NotADump, Position

# What may wait between the two: some batches.
BACKLOG_BYTES: Final = 8 << 20
_LENGTH: Final = struct.Struct(">I")


class ToRead(msgspec.Struct, frozen=True):
    """A file and where to begin."""

    path: str
    start: Position | None = None


class Read(msgspec.Struct, frozen=True, tag="read"):
    """A batch of the file with this number."""

    file: int
    batch: Batch


class Over(msgspec.Struct, frozen=True, tag="over"):
    """The end of a file; where it broke off, on which line and why.

    Units:   `resident` is the most memory that the reader ever held, in bytes.
    """

    file: int
    resident: int
    line: int = 0
    broken: str | None = None


class _Order(msgspec.Struct, frozen=True):
    files: list[ToRead]
    as_of: date


class ReaderDied(Exception):
    """The process that reads ended before its work."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_ORDER: Final = msgspec.msgpack.Decoder(_Order)
_MESSAGE: Final = msgspec.msgpack.Decoder(Read | Over)


async def read(files: Sequence[ToRead], as_of: date) -> AsyncGenerator[Read | Over, None]:
    """`messages` of a process of its own, which is ended with the iteration.

    Raises:  ReaderDied.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.catalogue.reader"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=BACKLOG_BYTES,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(_ENCODER.encode(_Order(list(files), as_of)))
        process.stdin.close()
        over = 0
        while over < len(files):
            length = await process.stdout.readexactly(_LENGTH.size)
            message = _MESSAGE.decode(await process.stdout.readexactly(_LENGTH.unpack(length)[0]))
            over += isinstance(message, Over)
            yield message
    except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError) as error:
        raise ReaderDied(f"the process that reads the dumps ended with {await process.wait()}") from error
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def messages(files: Sequence[ToRead], as_of: date) -> Iterator[Read | Over]:
    """The files one after the other, in batches, each with its end."""
    for number, file in enumerate(files):
        try:
            for batch in batches(Path(file.path), as_of, file.start):
                yield Read(number, batch)
        except Broken as fault:
            yield Over(number, resident(), fault.line, str(fault))
        except NotADump as fault:
            yield Over(number, resident(), 0, str(fault))
        else:
            yield Over(number, resident())


def resident() -> int:
    """The most memory that this process ever held, in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return int(re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[0]) * 1024


def main() -> None:
    """Read what stdin orders, write messages to stdout; ends quietly when nobody listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; who reads us decides
    gc.freeze()
    gc.disable()  # elements and rows are no garbage that goes in circles
    order = _ORDER.decode(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    try:
        for message in messages(order.files, order.as_of):
            _send(out, message)
    except BrokenPipeError:
        os._exit(1)


def _send(out: IO[bytes], message: Read | Over) -> None:
    data = _ENCODER.encode(message)
    left = memoryview(_LENGTH.pack(len(data)) + data)
    while left:
        left = left[out.write(left) :]


if __name__ == "__main__":
    main()
