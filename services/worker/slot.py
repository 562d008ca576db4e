"""A worker's place in its group: the lowest number that no other worker holds, as its identity towards Kafka.

Source:  static membership (KIP-345): who comes back under the same identity within the session's time-out gets its
         partitions back without a rebalance. Two processes of one identity would take them from each other without
         end, so the number is guarded by a lock that lives as long as a connection to PostgreSQL.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, NoReturn

import asyncpg

from services.logs import logger
from services.stores import slots
from services.stores.postgres import TRANSIENT, connect

log = logger(__name__)

SLOTS: Final = 1024  # no topic has more partitions
ASK_SECONDS: Final = 2.0
AGAIN_SECONDS: Final = 0.5
# A connection that broke on our side may live on for so long on the server's.
PATIENCE_SECONDS: Final = 30.0
LIMITS: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "idle_session_timeout": "0",
}


class Slot:
    """One slot of a group, once taken; `lost` is called when another worker has it."""

    def __init__(self, url: str, group: str, lost: Callable[[str], NoReturn]) -> None:
        self._url, self._group, self._lost = url, group, lost
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self.number = -1

    @property
    def instance_id(self) -> str:
        """What Kafka knows this worker by."""
        return f"{self._group}-{self.number}"

    async def take(self) -> None:
        """Take the lowest free slot, however long PostgreSQL stays away.

        Raises:  RuntimeError where all are held.
        """
        while self.number < 0:
            try:
                self._connection = await self._connect()
                for number in range(SLOTS):
                    if await slots.try_take(self._connection, self._group, number, timeout=ASK_SECONDS):
                        self.number = number
                        return
            except TRANSIENT as error:
                log.warning("waiting for PostgreSQL", error=f"{type(error).__name__}: {error}")
                self.close()
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                raise RuntimeError(f"all {SLOTS} slots of the group {self._group} are held")

    async def keep(self) -> None:
        """Hold the slot until cancelled: a lost connection is replaced, and the slot taken again."""
        lost_at: float | None = None
        try:
            while True:
                try:
                    if self._connection is None:
                        await self._take_again()
                        lost_at = None
                    assert self._connection is not None
                    await self._connection.execute("select", timeout=ASK_SECONDS)
                except TRANSIENT:
                    self.close()
                    lost_at = None  # without PostgreSQL nobody can take it either
                except _HeldError:
                    lost_at = lost_at or time.monotonic()
                    if time.monotonic() - lost_at > PATIENCE_SECONDS:
                        self._lost(f"slot {self.number} of the group is held by another worker")
                await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self.close()

    def close(self) -> None:
        """Let the slot go."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _take_again(self) -> None:
        connection = await self._connect()
        try:
            if not await slots.try_take(connection, self._group, self.number, timeout=ASK_SECONDS):
                raise _HeldError
            self._connection = connection
        finally:
            if self._connection is None:
                connection.terminate()

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        return await connect(self._url, application="gatefold-worker-slot", limits=LIMITS, command_seconds=ASK_SECONDS)


class _HeldError(Exception):
    """Somebody else has the slot."""
