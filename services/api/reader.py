"""Questions to PostgreSQL, and the answer when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

import asyncpg

from services.api.problems import unavailable
from services.logs import logger
from services.stores.postgres import TRANSIENT, Connection

P = ParamSpec("P")
T = TypeVar("T")

ANSWER_SECONDS: Final = 5.0
RELEASE_SECONDS: Final = 0.5

# Right as soon as somebody creates the database, migrates it or sets the password: as good as away.
NOT_SET_UP: tuple[type[BaseException], ...] = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
)


class Reader:
    """One connection, one statement per question."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._pool = pool
        self._seconds = answer_seconds

    async def ask(
        self,
        question: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The answer of `question(connection, …)`.

        Raises:  Problem 503 where PostgreSQL does not answer in time, is away or not set up.
        """
        return await self.ask_within(self._seconds, question, *args, **kwargs)

    async def ask_within(
        self,
        seconds: float,
        question: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same, for who cannot wait as long as others.

        Raises:  Problem 503.
        """
        try:
            async with asyncio.timeout(seconds):
                connection = await self._pool.acquire()
                try:
                    return await question(connection, *args, **kwargs)
                finally:
                    # Where a question was given up, this waits for the server to hear of it: not for long.
                    await self._pool.release(connection, timeout=RELEASE_SECONDS)
        except NOT_SET_UP as error:
            logger(__name__).error("PostgreSQL is not set up", error=f"{type(error).__name__}: {error}")
            raise unavailable("PostgreSQL is not set up for Gatefold.", seconds=30) from error
        except TRANSIENT as error:
            logger(__name__).warning("PostgreSQL is away", error=f"{type(error).__name__}: {error}")
            raise unavailable("PostgreSQL does not answer.") from error
