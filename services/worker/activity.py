"""Joins, wishes, reviews, edits and compares: sets of objects, one event after another, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from contracts.envelope import Event
from contracts.times import parse_day_or_time
from services.state.facts import Stamp
from services.stores import activity, collectors
from services.stores.activity import Fact, Key
from services.stores.awards import NewAward
from services.worker.awarding import Awarding
from services.worker.evidence import named_wish
from services.worker.steps import Steps
from services.worker.work import Accepted, EventFailed, Work

KINDS: Final = {
    "user.joined": ("join", True),
    "wishlist.added": ("wish", True),
    "wishlist.removed": ("wish", False),
    "review.approved": ("review", True),
    "edit.approved": ("edit", True),
    "compare.used": ("compare", True),
}


def objects(event: Event) -> Iterator[str]:
    """The objects an event speaks of, as they are stored; of a join the date."""
    match event.type:
        case "user.joined":
            yield parse_day_or_time(event.data.joined_at).isoformat()
        case "wishlist.added" | "wishlist.removed":
            yield from map(str, event.data.release_ids)
        case "review.approved":
            yield event.data.review_id
        case "edit.approved":
            yield event.data.edit_id
        case "compare.used":
            yield event.data.compare_id


class ActivityBundle:
    """The objects of activity that one bundle touches, and what its events do to them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.objects: dict[Key, Fact] = {}
        self._spoken: dict[int, list[str]] = {}
        self._changed: set[Key] = set()
        self.awarding = Awarding(work.knowledge.catalog, {})

    async def apply(self, accepted: Sequence[Accepted]) -> list[NewAward]:
        """Load what the events touch, apply them one by one, write the result.

        Raises:  EventFailed naming the event at fault; nothing is kept then.
        """
        standing = await self._work.lock(accepted)
        await self.load(standing)
        for one in standing:
            try:
                self.play(one)
            except Exception as error:
                raise EventFailed(one.offset) from error
        given = await self.awarding.settle(self._work.connection)
        await activity.save(self._work.connection, {key: self.objects[key] for key in self._changed})
        await collectors.save(self._work.connection, self._work.changed())
        return given

    def expect(self, standing: Sequence[Accepted]) -> None:
        """Read what these events speak of: they may be played then, on objects that are at hand."""
        self._spoken |= {one.offset: list(objects(one.event)) for one in standing}

    async def load(self, standing: Sequence[Accepted]) -> None:
        """All that these events touch; their users are known."""
        self.expect(standing)
        keys = {
            (one.event.subject, KINDS[one.event.type][0], object_id)
            for one in standing
            for object_id in self._spoken[one.offset]
        }
        if keys:
            self.objects |= await activity.load(self._work.connection, keys)

    def play(self, one: Accepted) -> None:
        """One event in memory: state, counts, and what it earns."""
        event, found = one.event, self._spoken[one.offset]
        kind, present = KINDS[event.type]
        collector = self._work.collectors[event.subject]
        stamp = Stamp(event.time, event.id, event.source)
        collector.see(event.time.date())
        steps = Steps(named_wish)
        steps.mark(collector)
        for object_id in found:
            key = (event.subject, kind, object_id)
            old = self.objects.get(key)
            if old is None or stamp >= old.stamp:
                was = old is not None and old.present
                self.objects[key] = Fact(present, stamp)
                self._changed.add(key)
                if was != present:
                    collector.count_activity(kind, 1 if present else -1)
                if kind == "join":
                    joined = date.fromisoformat(object_id)
                    collector.joined_on = min(collector.joined_on or joined, joined)
            steps.mark(collector)
            if kind == "wish":
                steps.items.append(int(object_id))
        self.awarding.judge_steps(event, collector, steps)
