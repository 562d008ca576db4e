"""Questions of one kind, asked by several at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from services.api.problems import Problem, unavailable
from services.api.reader import ANSWER_SECONDS, Reader
from services.stores.postgres import Connection

Q = TypeVar("Q")
A = TypeVar("A")

LANES: Final = 2
MOST: Final = 8


class _Waiting(NamedTuple, Generic[Q, A]):
    question: Q
    answer: asyncio.Future[A]
    until: float


class Gathered(Generic[Q, A]):
    """Whoever asks while all lanes are under way goes with the others that wait: one round trip, one statement.

    Most of what a short question costs, here and in PostgreSQL, is asking. Who asks alone does not wait.
    """

    def __init__(
        self, reader: Reader, ask: Callable[[Connection, Sequence[Q]], Awaitable[Sequence[A]]], *, lanes: int = LANES
    ) -> None:
        self._reader, self._ask = reader, ask
        self._free = lanes
        self._waiting: deque[_Waiting[Q, A]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected

    async def ask(self, question: Q) -> A:
        """The answer to it.

        Raises:  Problem 503 where PostgreSQL does not answer in time, is away or not set up.
        """
        loop = asyncio.get_running_loop()
        one = _Waiting[Q, A](question, loop.create_future(), loop.time() + ANSWER_SECONDS)
        self._waiting.append(one)
        if self._free:
            self._free -= 1
            lane = loop.create_task(self._lane(), name="reads")
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await one.answer

    async def _lane(self) -> None:
        try:
            while together := self._next():
                await self._settle(together)
        finally:
            self._free += 1  # in the step that found nobody waiting: whoever comes later begins a lane

    def _next(self) -> list[_Waiting[Q, A]]:
        """Those who go next: they still wait, and their time is not over."""
        now, together = asyncio.get_running_loop().time(), list[_Waiting[Q, A]]()
        while self._waiting and len(together) < MOST:
            one = self._waiting.popleft()
            if one.answer.done():
                continue
            if one.until <= now:
                one.answer.set_exception(unavailable("PostgreSQL does not answer."))
            else:
                together.append(one)
        return together

    async def _settle(self, together: Sequence[_Waiting[Q, A]]) -> None:
        left = together[0].until - asyncio.get_running_loop().time()
        try:
            answers = await self._reader.ask_within(left, self._ask, [one.question for one in together])
        except Problem as problem:
            self._fail(together, problem)
        except Exception as error:
            if len(together) == 1:
                self._fail(together, error)
                return
            for one in together:  # one of them is to blame, and the others are not to suffer for it
                await self._settle([one])
        except BaseException:
            for one in together:
                one.answer.cancel()
            raise
        else:
            for one, answer in zip(together, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)

    @staticmethod
    def _fail(together: Sequence[_Waiting[Q, A]], error: Exception) -> None:
        for one in together:
            if not one.answer.done():
                one.answer.set_exception(error)
