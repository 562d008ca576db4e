"""Processes that work for an event loop, so that it turns however long the work takes."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar, TypeVarTuple

PR_SET_PDEATHSIG = 1

A = TypeVarTuple("A")
T = TypeVar("T")


class Died(Exception):
    """The process that worked has died: out of memory, most likely."""


class Pool:
    """A few processes, started when first needed; one that dies is replaced."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._executor: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[[*A], T], *args: *A) -> T:
        """`work(*args)`, elsewhere: a function of a module, what it takes and gives can be pickled.

        Raises:  Died, and what the work raises.
        """
        if self._executor is None:
            # Not forked: this process has threads.
            self._executor = ProcessPoolExecutor(
                self._processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
            )
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, work, *args)
        except BrokenProcessPool as error:
            if self._executor is executor:
                self.close()
            raise Died(str(error)) from error

    def close(self) -> None:
        """End the processes, without waiting for what they do."""
        executor, self._executor = self._executor, None
        if executor is not None:
            for process in list((executor._processes or {}).values()):
                process.terminate()
            executor.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """In the process: Ctrl-C is the parent's business, and without the parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
