"""A Kafka broker behind a proxy: clients keep to it, and chosen answers bear an error code."""

import asyncio
import inspect
import io
from collections import Counter, defaultdict, deque
from types import ModuleType
from typing import Any, Final

from aiokafka.protocol import commit, fetch, group
from aiokafka.protocol.api import Response

from tests.faults.link import Proxy, Way

FETCH, COMMIT, JOIN, HEARTBEAT, SYNC = 1, 8, 11, 12, 14
API_NAMES: Final = {
    FETCH: "Fetch",
    COMMIT: "OffsetCommit",
    JOIN: "JoinGroup",
    HEARTBEAT: "Heartbeat",
    SYNC: "SyncGroup",
}
HOST: Final = b"127.0.0.1"


def _answers(*modules: ModuleType) -> dict[tuple[int, int], type[Response]]:
    """The driver's own classes of answers, by API key and version."""
    found: dict[tuple[int, int], type[Response]] = {}
    for module in modules:
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Response) and isinstance(getattr(kind, "API_VERSION", None), int):
                found[kind.API_KEY, kind.API_VERSION] = kind
    return found


ANSWERS: Final = _answers(commit, fetch, group)


class KafkaFront(Proxy):
    """The proxy's port stands wherever an answer names the broker's, so that no client goes past it.

    Shape:   `arm(api, code)` spoils the next answer of that API; `spoiled` counts what was spoiled.
    """

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self._armed: defaultdict[int, deque[int]] = defaultdict(deque)
        self.spoiled: Counter[tuple[int, int]] = Counter()

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"kafka://127.0.0.1:{self.port}"

    def arm(self, api: int, code: int) -> None:
        """Let the next answer of this API bear the code."""
        self._armed[api].append(code)

    def armed(self, api: int) -> int:
        """How many answers of this API are still to be spoiled."""
        return len(self._armed[api])

    def disarm(self) -> None:
        """Spoil nothing more."""
        self._armed.clear()

    def ways(self) -> tuple[Way, Way]:
        """Frame by frame, so that each answer is known by its question."""
        asked: dict[int, tuple[int, int]] = {}

        async def there(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while frame := await _frame(source):
                api, version = (int.from_bytes(frame[at : at + 2], "big") for at in (0, 2))
                asked[int.from_bytes(frame[4:8], "big")] = api, version
                await self.link.send(_framed(frame), sink, there=True)

        async def back(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while frame := await _frame(source):
                answer = self._answer(frame, *asked.pop(int.from_bytes(frame[:4], "big")))
                await self.link.send(_framed(answer), sink, there=False)

        return there, back

    def _answer(self, frame: bytes, api: int, version: int) -> bytes:
        if self._armed[api]:
            return self._spoil(frame, api, version)
        if api == FETCH:
            return frame  # records may hold any bytes
        theirs, ours = (HOST + port.to_bytes(4, "big") for port in (self.server_port, self.port))
        return frame.replace(theirs, ours)

    def _spoil(self, frame: bytes, api: int, version: int) -> bytes:
        answer: Any = ANSWERS[api, version].decode(io.BytesIO(frame[4:]))
        code = self._armed[api][0]
        if api in (FETCH, COMMIT):
            if not answer.topics:
                return frame
            # A partition's entry begins with its number and its error code.
            answer.topics = [
                (topic, [(part[0], code, *part[2:]) for part in partitions]) for topic, partitions in answer.topics
            ]
        else:
            answer.error_code = code
        self._armed[api].popleft()
        self.spoiled[api, code] += 1
        return frame[:4] + bytes(answer.encode())


async def _frame(source: asyncio.StreamReader) -> bytes:
    """The next frame; empty at the end of the connection."""
    try:
        return await source.readexactly(int.from_bytes(await source.readexactly(4), "big"))
    except asyncio.IncompleteReadError:
        return b""


def _framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame
