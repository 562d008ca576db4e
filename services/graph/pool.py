"""Processes that measure, so that the loop of the lane turns whatever a collection is like."""

from __future__ import annotations

from services import pool
from services.graph.measure import Ids, Shape, measure


class MeasuringFailed(Exception):
    """The process that measured has died: out of memory, most likely."""


class Pool(pool.Pool):
    """A few processes, started when first needed; one that dies is replaced."""

    async def measure(self, ids: Ids, edges: Ids) -> Shape:
        """`measure.measure`, elsewhere.

        Raises:  MeasuringFailed.
        """
        try:
            return await self.run(measure, ids, edges)
        except pool.Died as error:
            raise MeasuringFailed(str(error)) from error
