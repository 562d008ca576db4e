"""All open streams of one process. PostgreSQL knows what was given, Kafka tells when it is worth asking.

A stream remembers the number of the last award it was told of, and the client sends it back as `Last-Event-ID`. So what
was missed, by a client that was away or because Kafka was, is told by the next question, once and in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import msgspec

from services import metrics
from services.api.problems import TOO_MANY, Problem, unavailable
from services.api.reader import Reader
from services.api.view import View
from services.live.digest import Ranked, digest
from services.live.stream import Stream, event
from services.logs import logger
from services.stores import live
from services.stores.live import Given

# An import is told in one piece: so long nothing of it must come, and so long it is waited for at most.
QUIET_SECONDS: Final = 1.5
PATIENCE_SECONDS: Final = 20.0
BEAT_SECONDS: Final = 0.25
# What Kafka did not tell, everybody is asked about.
LOOK_SECONDS: Final = 60.0
AT_ONCE: Final = (0.0, 0.0)
PAGE: Final = 100  # users in one question

log = logger(__name__)
_encode = msgspec.json.Encoder().encode


class Hub:
    """Opens streams, and tells them what was given."""

    def __init__(self, view: View, *, most: int, most_per_user: int) -> None:
        self._view = view
        self._most, self._most_per_user = most, most_per_user
        self._streams: dict[str, set[Stream]] = {}
        self._count = 0
        # Of users who may have news: when that was first and last heard, by time.monotonic.
        self._heard: dict[str, tuple[float, float]] = {}
        self._stirred = asyncio.Event()
        self._closed = False

    def listened_to(self, user_id: str) -> bool:
        """Whether the user has a stream here."""
        return user_id in self._streams

    @contextlib.asynccontextmanager
    async def open(self, reader: Reader, user_id: str, after: int | None, seconds: float) -> AsyncIterator[Stream]:
        """A stream of what the user is given from now on, or after what the client has seen; for so long at most.

        Raises:  Problem 429 for one stream of a user too many, 503 of the process, or where PostgreSQL is away.
        """
        self._check_room(user_id)
        last = await reader.ask(live.latest, user_id)
        self._check_room(user_id)
        stream = Stream(user_id, last if after is None else min(after, last), time.monotonic() + seconds)
        self._streams.setdefault(user_id, set()).add(stream)
        self._count += 1
        metrics.LIVE_STREAMS.set(self._count)
        # Whatever came since we asked, and whatever the client has missed.
        self._heard.setdefault(user_id, AT_ONCE)
        self._stirred.set()
        try:
            yield stream
        finally:
            stream.end("left")
            metrics.LIVE_ENDED.labels(stream.ending).inc()
            self._count -= 1
            metrics.LIVE_STREAMS.set(self._count)
            of_user = self._streams[user_id]
            of_user.discard(stream)
            if not of_user:
                del self._streams[user_id]

    def _check_room(self, user_id: str) -> None:
        if self._closed or self._count >= self._most:
            raise unavailable("There is no room for another stream here.", seconds=5)
        if len(self._streams.get(user_id, ())) >= self._most_per_user:
            said = f"More than {self._most_per_user} streams at once for one user."
            raise Problem(TOO_MANY, said, {"Retry-After": "60"})

    def hear(self, user_id: str) -> None:
        """The user was given something; told when it has been quiet for a moment."""
        if user_id in self._streams:
            now = time.monotonic()
            self._heard[user_id] = (self._heard.get(user_id, (now, now))[0], now)
            self._stirred.set()

    def tell_revoked(self, user_id: str, badge_key: str, context: str) -> None:
        """A badge was taken back: a page that shows it should look again. Nobody who was away is told later."""
        piece = event("revoked", _encode({"id": badge_key, "context": context}))
        for stream in self._streams.get(user_id, ()):
            stream.offer(piece)

    def look_at_all(self) -> None:
        """Ask about everybody: something may have been missed."""
        self._heard = dict.fromkeys(self._streams, AT_ONCE) | self._heard
        self._stirred.set()

    def close(self) -> None:
        """End all streams, and open no more."""
        self._closed = True
        for streams in self._streams.values():
            for stream in streams:
                stream.end("shutdown")

    async def run(self, reader: Reader) -> None:
        """Tell what is heard, for ever."""
        looked = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._stirred.wait()
            now = time.monotonic()
            if now - looked >= LOOK_SECONDS:
                looked = now
                self.look_at_all()
            try:
                await self._tell_due(reader, now)
            except Exception:
                # Our fault: for one user's sake the others are not to go without.
                log.exception("streams were not told")
            if not self._heard:
                self._stirred.clear()
            await asyncio.sleep(BEAT_SECONDS)

    async def _tell_due(self, reader: Reader, now: float) -> None:
        due = [
            user_id
            for user_id, (first, last) in self._heard.items()
            if now - last >= QUIET_SECONDS or now - first >= PATIENCE_SECONDS
        ]
        for start in range(0, len(due), PAGE):
            page = due[start : start + PAGE]
            for user_id in page:
                del self._heard[user_id]
            try:
                await self._tell(reader, page)
            except Problem:
                # PostgreSQL is away, and the reader has said so: later.
                self._heard |= {user_id: (time.monotonic(), time.monotonic()) for user_id in page}

    async def _tell(self, reader: Reader, users: Iterable[str]) -> None:
        after = {user: min(one.told for one in self._streams[user]) for user in users if user in self._streams}
        if not after:
            return
        for user_id, given in (await reader.ask(live.since, after)).items():
            pieces: dict[int, bytes] = {}
            for stream in self._streams.get(user_id, ()):
                new = [one for one in given if one.number > stream.told]
                if not new:
                    continue
                if stream.told not in pieces:
                    pieces[stream.told] = self._event(new)
                stream.offer(pieces[stream.told])
                stream.told = new[-1].number
                metrics.LIVE_DIGESTS.inc()

    def _event(self, given: Sequence[Given]) -> bytes:
        badges = self._view.catalog.badges
        ranked = []
        for one in given:
            key = one.award.badge_key
            badge = badges.get(key)
            shown = self._view.achievement(one.award)
            family, tier, rank = (key, 0, 0) if badge is None else (badge.family, badge.tier_index, badge.sort_score)
            ranked.append(Ranked(family, tier, rank, shown))
        short = digest(ranked)
        data = {"badges": short.shown, "more": short.more, "earned": short.earned}
        return event("awarded", _encode(data), given[-1].number)
