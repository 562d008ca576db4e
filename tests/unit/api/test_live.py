"""Streams and digests without a server."""

from __future__ import annotations

import asyncio
import time

from services.live.digest import Ranked, digest
from services.live.stream import MOST_WAITING, Stream, event


def test_of_a_family_the_highest_tier_is_shown_and_three_of_all() -> None:
    awards = [Ranked(f"f{number}", tier, number, (number, tier)) for number in range(5) for tier in (2, 0, 3, 1)]
    short = digest(awards)
    assert short.shown == [(4, 3), (3, 3), (2, 3)]
    assert (short.more, short.earned) == (2, 20)
    assert digest([]) == ([], 0, 0)


async def test_who_does_not_read_is_sent_nothing_any_more() -> None:
    stream = Stream("ann", 7, time.monotonic() + 60)
    pieces = stream.pieces()
    assert await anext(pieces) == b"retry: 3000\nid: 7\nevent: hello\ndata: {}\n\n"
    for number in range(MOST_WAITING + 5):
        stream.offer(event("awarded", b"{}", number))
    assert stream.ending == "slow"
    assert [piece async for piece in pieces] == []


async def test_what_waits_is_sent_before_the_end() -> None:
    stream = Stream("ann", 7, time.monotonic() + 60)
    stream.offer(event("awarded", b"{}", 9))
    stream.end("shutdown")
    stream.offer(event("awarded", b"{}", 10))
    assert [piece async for piece in stream.pieces()][1:] == [b"id: 9\nevent: awarded\ndata: {}\n\n"]


async def test_a_stream_ends_in_time() -> None:
    stream = Stream("ann", 0, time.monotonic() + 0.05)
    async with asyncio.timeout(5):
        assert len([piece async for piece in stream.pieces()]) == 1
    assert stream.ending == "over"
