"""Workers under a supervisor: whoever ends is replaced."""

import asyncio
import random
from collections import Counter

from tests.e2e.processes import START, Process
from tests.e2e.world import World

RESTART_ME = 75
UNAVAILABLE = 69  # an engine did not answer while the worker started
ALLOWED = (RESTART_ME, UNAVAILABLE, -9, 0)


class Supervisor:
    """Keeps so many workers running; `ends` counts the exit codes it met, those in `allowed` and no others."""

    def __init__(
        self, world: World, *, program: str = START, allowed: tuple[int, ...] = ALLOWED, **settings: str
    ) -> None:
        self._allowed = allowed
        self._world, self._program, self._settings = world, program, settings
        self.workers: list[Process] = []
        self.ends: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.wanted = 0

    async def scale(self, wanted: int) -> None:
        """So many workers from now on; those too many are stopped in order."""
        self.wanted = wanted
        self._mend()
        leaving, self.workers = self.workers[wanted:], self.workers[:wanted]
        for worker in leaving:
            self.ends[await asyncio.to_thread(worker.terminate)] += 1

    def kill_one(self, dice: random.Random) -> None:
        """SIGKILL one of them; it is replaced."""
        dice.choice(self.workers).kill()
        self._mend()

    def _mend(self) -> None:
        for worker in self.workers:
            if worker.code is not None:
                assert worker.code in self._allowed, f"{worker.name} ended with {worker.code}:\n{worker.tail()}"
                self.ends[worker.code] += 1
        self.workers = [worker for worker in self.workers if worker.code is None]
        while len(self.workers) < self.wanted:
            self.workers.append(self._world.crew.start("worker", program=self._program, **self._settings))

    async def __aenter__(self) -> "Supervisor":
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.scale(0)

    async def _watch(self) -> None:
        while True:
            self._mend()
            await asyncio.sleep(0.2)
