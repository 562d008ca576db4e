"""Questions of one kind, asked by several at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from services.api.reader import ANSWER_SECONDS, Reader
from services.stores.postgres import Connection

Q = TypeVar("Q")
A = TypeVar("A")

LANES: Final = 2
MOST: Final = 8


class _Waiting(NamedTuple, Generic[Q, A]):
    question: Q
    answer: asyncio.Future[A]
    since: float


class Gathered(Generic[Q, A]):
    """Whoever asks while all lanes are under way goes with the others that wait: one round trip, one statement.

    Most of what a short question costs, here and in PostgreSQL, is asking. Who asks alone does not wait.
    """

    def __init__(self, reader: Reader, ask: Callable[[Connection, Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._reader, self._ask = reader, ask
        self._waiting: deque[_Waiting[Q, A]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """The answer to it.

        Raises:  Problem 503 where PostgreSQL does not answer in time, is away or not set up.
        """
        loop = asyncio.get_running_loop()
        one = _Waiting[Q, A](question, loop.create_future(), loop.time())
        self._waiting.append(one)
        if len(self._running) < LANES:
            lane = loop.create_task(self._lane(), name="reads")
            self._running.add(lane)
            lane.add_done_callback(self._running.discard)
        return await one.answer

    async def _lane(self) -> None:
        time = asyncio.get_running_loop().time
        while self._waiting:
            together = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            # Nobody waits for longer than one who asks alone.
            left = ANSWER_SECONDS - (time() - together[0].since)
            try:
                answers = await self._reader.ask_within(left, self._ask, [one.question for one in together])
                found = list(zip(together, answers, strict=True))
            except Exception as error:
                for one in together:
                    if not one.answer.done():
                        one.answer.set_exception(error)
            else:
                for one, answer in found:
                    if not one.answer.done():
                        one.answer.set_result(answer)
