"""Random histories against the dictionary model: whatever is appended, delivered, repeated or lost on the way.

GATEFOLD_EXAMPLES=n runs n random histories and prints how to reproduce a failure; without it the same few are run.
"""

import asyncio
import copy
import json
import os
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.envelope import rfc3339
from contracts.topics import INPUT_TOPICS
from services.stores import ledger
from services.worker.described import cause
from tests.model import lab, strategies
from tests.model.lab import Entry, Log
from tests.model.oracle import Event, Oracle
from tests.model.strategies import Said, some

EXAMPLES = int(os.environ.get("GATEFOLD_EXAMPLES", "0"))
PROFILE = settings(
    max_examples=EXAMPLES or 120,
    stateful_step_count=50,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

partitions = st.sampled_from((0, 1))


class Crash(Exception):
    """The worker dies."""


class Histories(RuleBasedStateMachine):
    """Two workers on one database; the model is told what was processed, in the order in which it was."""

    url: str
    runner: asyncio.Runner
    appended = Bundle("appended")

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        # More than one where two workers ran at once and either order explains what came out.
        self.models = [Oracle()]
        self.number = 0
        self.numbers: dict[str, int] = {}
        self.changed = True
        self.workers: list[tuple[Any, Any]] = [(None, None), (None, None)]
        self.wait(self.start())

    def wait(self, what: Any) -> Any:
        return self.runner.run(what)

    async def start(self) -> None:
        for number in (0, 1):
            await self.restart(number)
        await lab.clear(self.workers[0][0])

    async def restart(self, number: int) -> None:
        """A worker that remembers nothing, on a fresh connection."""
        old = self.workers[number][0]
        if old is not None:
            old.terminate()
        self.workers[number] = (await lab.worker_connection(self.url), lab.knowledge(f"worker-{number}"))

    def teardown(self) -> None:
        try:
            self.deliver_everything(size=7)
            self.relay()
            self.holds()
        finally:
            for connection, _ in self.workers:
                connection.terminate()

    # --- what producers do -----------------------------------------------------------------------------------------

    def append(self, events: list[Said], partition: int) -> Any:
        made = []
        for one in events:
            self.number += 1
            number = self.numbers[one["source"]] = self.numbers.get(one["source"], 0) + 1
            made.append({**one, "id": f"{one['prefix']}{number}"})  # two sources may well use one id
            self.log.append(made[-1], partition, structured=self.number % 3 == 0)
        return multiple(*made)

    @rule(target=appended, events=some(strategies.collected), part=partitions)
    def collect(self, events: list[Said], part: int) -> Any:
        return self.append(events, part)

    @rule(target=appended, events=some(strategies.wishes), part=partitions)
    def wish(self, events: list[Said], part: int) -> Any:
        return self.append(events, part)

    @rule(target=appended, events=some(strategies.news, 6), part=partitions)
    def describe(self, events: list[Said], part: int) -> Any:
        return self.append(events, part)

    @rule(target=appended, events=some(strategies.acts, 8), part=partitions)
    def act(self, events: list[Said], part: int) -> Any:
        return self.append(events, part)

    @rule(target=appended, events=some(strategies.calendar), part=partitions)
    def tick(self, events: list[Said], part: int) -> Any:
        return self.append(events, part)

    @rule(target=appended, event=strategies.deletions, part=partitions)
    def delete(self, event: Said, part: int) -> Any:
        return self.append([event], part)

    @rule(event=appended, other=appended, part=partitions, mixed=st.booleans())
    def repeat(self, event: Event, other: Event, part: int, mixed: bool) -> None:
        """The same identity under a new offset; `mixed`: on another topic, with another subject, time and data."""
        again = {**other, "id": event["id"], "source": event["source"]} if mixed else event
        self.log.append(again, part)

    @rule(topic=st.sampled_from(INPUT_TOPICS), user=strategies.users, part=partitions, value=strategies.poisons)
    def poison(self, topic: str, user: str, part: int, value: bytes | None) -> None:
        self.log.poison(topic, part, user.encode(), value)

    # --- what workers do -------------------------------------------------------------------------------------------

    def next_bundle(self, data: Any, size: int, *, other_than: tuple[str, int] | None = None) -> Any:
        """A partition that waits and its next records."""
        places = [place for place in self.log.waiting() if place != other_than]
        if not places:
            return None, []
        place = data.draw(st.sampled_from(places), label="partition")
        start = self.log.delivered[place]
        return place, self.log.partitions[place][start : start + size]

    def processed(self, place: tuple[str, int], entries: list[Entry], models: list[Oracle]) -> set[str]:
        """Tell the models; answers the sweeps that are due now, according to the first."""
        due: set[str] = set()
        for model in models:
            found = set()
            for entry in entries:
                swept = model.take(*place, entry.record.offset, entry.event, entry.record.key)
                found |= {f"{cause(entry.event['source'], entry.event['id'])}:{user}" for user in swept}
            due = found if model is models[0] else due
        self.changed = True
        return due

    async def apply(self, number: int, place: tuple[str, int], entries: list[Entry]) -> None:
        connection, known = self.workers[number]
        await lab.apply(connection, known, place, entries)

    def deliver(self, number: int, place: tuple[str, int], entries: list[Entry]) -> None:
        before = self.wait(self.sweeps())
        self.wait(self.apply(number, place, entries))
        due = self.processed(place, entries, self.models)
        self.log.delivered[place] += len(entries)
        if place[0] == "release.described" and len(self.models) == 1:
            assert self.wait(self.sweeps()) - before == due - before

    async def sweeps(self) -> set[str]:
        """The sweeps that wait in the outbox."""
        rows = await self.workers[0][0].fetch("select event_id from outbox where topic = 'cron.sweep'")
        return {row["event_id"] for row in rows}

    @precondition(lambda self: self.log.waiting())
    @rule(data=st.data(), size=st.integers(1, 12), number=st.sampled_from((0, 1)), back=st.integers(0, 3))
    def deliver_some(self, data: Any, size: int, number: int, back: int) -> None:
        """A bundle; it may begin with records that were delivered before."""
        place, entries = self.next_bundle(data, size)
        start = max(0, self.log.delivered[place] - back)
        seen = self.log.partitions[place][start : self.log.delivered[place]]
        self.deliver_again(number, place, seen + entries, len(seen))

    def deliver_again(self, number: int, place: tuple[str, int], entries: list[Entry], seen: int) -> None:
        if not seen:
            return self.deliver(number, place, entries)
        self.wait(self.apply(number, place, entries))
        self.processed(place, entries[seen:], self.models)
        self.log.delivered[place] += len(entries) - seen
        return None

    @precondition(lambda self: self.log.waiting())
    @rule(size=st.sampled_from((1, 3, 500)))
    def deliver_everything(self, size: int) -> None:
        for place in self.log.waiting():
            while (start := self.log.delivered[place]) < len(self.log.partitions[place]):
                self.deliver(0, place, self.log.partitions[place][start : start + size])

    @precondition(lambda self: self.log.waiting())
    @rule(data=st.data(), size=st.integers(1, 12), killed=st.booleans())
    def crash_before_commit(self, data: Any, size: int, killed: bool) -> None:
        """All is written but not committed when the worker dies, or its connection."""
        place, entries = self.next_bundle(data, size)
        connection, known = self.workers[0]

        async def die(*_: Any, **__: Any) -> None:
            if killed:
                connection.terminate()
            raise Crash

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ledger, "advance", die)
            with pytest.raises((Crash, asyncpg.InterfaceError)):
                self.wait(lab.apply(connection, known, place, entries))
        if killed:
            self.wait(self.restart(0))
        self.changed = True

    @precondition(lambda self: self.log.waiting())
    @rule(data=st.data(), size=st.integers(1, 12))
    def crash_after_commit(self, data: Any, size: int) -> None:
        """Nobody learned that the bundle was committed: another worker gets all of it once more."""
        place, entries = self.next_bundle(data, size)
        self.deliver(0, place, entries)
        self.wait(self.restart(0))
        self.deliver_again(1, place, entries, len(entries))

    @precondition(lambda self: len(self.log.waiting()) > 1)
    @rule(data=st.data(), first_size=st.integers(1, 12), second_size=st.integers(1, 12))
    def deliver_at_once(self, data: Any, first_size: int, second_size: int) -> None:
        """Two workers at the same time, on different partitions: some order of the two explains what comes out."""
        first = self.next_bundle(data, first_size)
        second = self.next_bundle(data, second_size, other_than=first[0])

        async def both() -> None:
            await asyncio.gather(self.apply(0, *first), self.apply(1, *second))

        self.wait(both())
        candidates = []
        for order in ((first, second), (second, first)):
            models = copy.deepcopy(self.models)
            for place, entries in order:
                self.processed(place, entries, models)
            candidates += models
        for place, entries in (first, second):
            self.log.delivered[place] += len(entries)
        found = self.wait(self.found())
        fitting = [model for model in candidates if expected(model) == found]
        assert fitting, [difference(expected(model), found) for model in candidates]
        self.models = []
        for model in fitting:
            if model not in self.models:
                self.models.append(model)

    @rule()
    def relay(self) -> None:
        """The outbox's sweeps are published, and processed at once; its awards stay, to be counted.

        A partition of their own: what two workers did at the same time must not decide what is drawn next.
        """

        async def take() -> list[Entry]:
            rows = await self.workers[0][0].fetch("delete from outbox where topic = 'cron.sweep' returning *")
            sent = []
            for row in sorted(rows, key=lambda row: row["id"]):
                event = {"type": "cron.sweep", "id": row["event_id"], "source": "gatefold", "time": row["time"]}
                event |= {"subject": row["subject"], "data": json.loads(row["value"])}
                sent.append(self.log.append(event, 2))
            return sent

        sent = self.wait(take())
        if sent:
            self.deliver(1, ("cron.sweep", 2), sent)

    # --- what must hold --------------------------------------------------------------------------------------------

    async def found(self) -> dict[str, Any]:
        connection = self.workers[0][0]
        awards = await lab.awards_of(connection)
        assert all(award["source"] == "auto" and award["revoked_at"] is None for award in awards.values())
        accounts = await connection.fetch("select * from offset_ledger where next_offset > 0")
        dead = await connection.fetch('select topic, partition, "offset" from dead_letter')
        return {
            "state": await lab.state_of(connection),
            "awards": {name: (award["awarded_at"], award["evidence"]) for name, award in awards.items()},
            "ledger": {
                (row["topic"], row["partition"]): (row["processed"], row["duplicate"], row["dead"], row["next_offset"])
                for row in accounts
            },
            "dead": {tuple(row) for row in dead},
            "accepted": await connection.fetchval("select count(*) from inbox"),
        }

    @invariant()
    def holds(self) -> None:
        if not self.changed:
            return
        self.changed = False
        found = self.wait(self.found())
        self.models = [model for model in self.models if expected(model) == found] or self.models
        for model in self.models[:1]:
            assert not difference(expected(model), found)
        self.wait(self.is_consistent(found))

    async def is_consistent(self, found: dict[str, Any]) -> None:
        connection = self.workers[0][0]
        assert await lab.drift_of(connection, found["state"]) == {}
        told = await connection.fetch("select subject, event_id, value from outbox where topic = 'badge.awarded'")
        held = await connection.fetch("select * from user_badges")
        assert sorted(row["event_id"] for row in told) == sorted(f"{row['award_id']}:1" for row in held)
        by_name = {(row["user_id"], row["badge_key"], row["context"]): row for row in held}
        for row in told:
            said = json.loads(row["value"])
            award = by_name[said["user_id"], said["badge"]["key"], said["context"]]
            assert said["awarded_at"] == rfc3339(award["awarded_at"])
            assert said["evidence"] == json.loads(award["evidence"])
            assert said["trigger"] == award["trigger"]
            assert said["caused_by"] == json.loads(award["caused_by"])
        buried = await connection.fetch("select subject from outbox where topic = 'event.rejected'")
        assert {row["subject"] for row in buried} == {"{}:{}:{}".format(*place) for place in found["dead"]}


def expected(model: Oracle) -> dict[str, Any]:
    """What the model says, in the shape of `Histories.found`."""
    return {
        "state": model.state(),
        "awards": {
            (name, *badge): (rfc3339(award["awarded_at"]), award["evidence"])
            for name, user in model.users.items()
            for badge, award in user.awards.items()
        },
        "ledger": {
            place: (*(counts[fate] for fate in ("processed", "duplicate", "dead")), counts.total())
            for place, counts in model.ledger.items()
        },
        "dead": set(model.dead),
        "accepted": len(model.seen),
    }


def difference(wanted: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What differs, small enough to read: name -> (wanted, found)."""
    apart: dict[str, Any] = {}
    for part, value in wanted.items():
        if isinstance(value, dict):
            for name in value.keys() | found[part].keys():
                if value.get(name) != found[part].get(name):
                    apart[f"{part} {name}"] = (value.get(name), found[part].get(name))
        elif value != found[part]:
            apart[part] = (value, found[part])
    return apart


def test_histories(database: str) -> None:
    with asyncio.Runner() as runner:
        Histories.url, Histories.runner = database, runner
        run_state_machine_as_test(Histories, settings=PROFILE)  # type: ignore[no-untyped-call]
