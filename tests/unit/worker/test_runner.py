"""The runner: what it waits for, what it sets apart, when it gives up, and what ends the worker."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs
from prometheus_client import REGISTRY

from catalog.index import load_catalog
from services import metrics
from services.stores.awards import NewAward
from services.worker import runner
from services.worker.bundle import Done, EventFailed, Gap, Unopened
from services.worker.runner import Runner, _parts
from services.worker.work import Knowledge


@dataclass(frozen=True)
class Record:
    """A record as the runner reads it."""

    offset: int
    value: bytes | None = b"{}"
    timestamp: int = 0
    key: bytes | None = b"u"
    headers: Sequence[tuple[str, bytes]] = ()


class Connection:
    """Counts how often connections were thrown away."""

    def __init__(self) -> None:
        self.terminated = False

    def is_closed(self) -> bool:
        return self.terminated

    def terminate(self) -> None:
        self.terminated = True


class Database:
    """Stands for `process` and `connect`: answers what it was told to, bundle by bundle."""

    def __init__(self, answer: Callable[[list[int], Mapping[int, str]], Exception | None]) -> None:
        self.answer = answer
        self.calls: list[list[int]] = []
        self.dead: dict[int, str] = {}
        self.committed: list[int] = []
        self.connections: list[Connection] = []
        self.limits: list[Mapping[str, str]] = []
        self.awards: list[NewAward] = []

    async def connect(self, url: str, *, limits: Mapping[str, str], **_: Any) -> Connection:
        self.limits.append(limits)
        self.connections.append(Connection())
        return self.connections[-1]

    async def process(
        self,
        connection: Any,
        knowledge: Any,
        topic: str,
        partition: int,
        records: Sequence[Any],
        condemned: Any,
        brake: Any,
    ) -> Done:
        assert not connection.terminated
        offsets = [record.offset for record in records]
        self.calls.append(offsets)
        error = self.answer(offsets, condemned)
        if error is not None:
            raise error
        self.committed += offsets
        self.dead |= condemned
        return Done(processed=len(offsets) - len(condemned), dead=len(condemned), awards=self.awards)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Runner, Database]]:
    """A runner whose database answers what a function says."""

    def make(answer: Any, leaving: Callable[[], bool] = lambda: False) -> tuple[Runner, Database]:
        database = Database(answer)
        monkeypatch.setattr(runner, "process", database.process)
        monkeypatch.setattr(runner, "connect", database.connect)
        monkeypatch.setattr(runner, "FIRST_PAUSE_SECONDS", 0.0)
        knowledge = Knowledge(load_catalog(), erasure_key=b"k", owner="test")
        return Runner("url", knowledge, lanes=1, bundle_bytes=1_000_000, leaving=leaving), database

    return make


def records(offsets: Iterable[int]) -> list[Record]:
    return [Record(offset) for offset in offsets]


async def test_what_is_fine_is_committed_once(running: Any) -> None:
    run, database = running(lambda offsets, condemned: None)
    assert await run.run("review.approved", 3, records(range(5, 9)))
    assert database.calls == [[5, 6, 7, 8]]
    assert run.positions == {("review.approved", 3): 9}
    assert await run.run("review.approved", 3, records([9]))
    assert len(database.connections) == 1


def test_counters_are_there_before_the_first_event(running: Any) -> None:
    """An alarm on `increase` sees the first hole, the first dead letter, the first award of a family."""
    for counter in (metrics.EVENTS, metrics.HOLES, metrics.DEAD, metrics.AWARDED):
        counter.clear()
    running(lambda offsets, condemned: None)
    for name, labels in (
        ("gatefold_events_total", {"topic": "review.approved", "fate": "dead"}),
        ("gatefold_holes_total", {"topic": "cron.sweep"}),
        ("gatefold_dead_letters_total", {"stage": "oversize"}),
        ("gatefold_awards_total", {"family": "owner"}),
    ):
        assert REGISTRY.get_sample_value(name, labels) == 0


async def test_awards_in_the_shadow_are_not_counted(running: Any) -> None:
    run, database = running(lambda offsets, condemned: None)
    one = NewAward("u", "deep-cut", "", UUID(int=1), datetime.now(UTC), "cron.sweep", {}, UUID(int=2), {}, "digest")
    database.awards = [one, structs.replace(one, user_id="v", shadow=True)]
    before = REGISTRY.get_sample_value("gatefold_awards_total", {"family": "deep-cut"})
    assert await run.run("cron.sweep", 0, records([0]))
    assert REGISTRY.get_sample_value("gatefold_awards_total", {"family": "deep-cut"}) == before + 1


@pytest.mark.parametrize(
    "error",
    [
        OSError("refused"),
        TimeoutError(),
        asyncpg.InterfaceError("closed"),
        asyncpg.InternalClientError("terminated"),
        asyncpg.AdminShutdownError("bye"),
        asyncpg.DeadlockDetectedError("again"),
        asyncpg.LockNotAvailableError("busy"),
        asyncpg.CannotConnectNowError("starting"),
    ],
)
async def test_what_passes_is_waited_for(running: Any, error: Exception) -> None:
    left = [error] * 3
    run, database = running(lambda offsets, condemned: left.pop() if left else None)
    assert await run.run("review.approved", 0, records(range(4)))
    assert database.committed == [0, 1, 2, 3]
    assert database.dead == {}
    # A connection that failed is never used again.
    assert [one.terminated for one in database.connections] == [True, True, True, False]


async def test_a_bundle_is_given_up_after_one_attempt_when_somebody_waits_for_us(running: Any) -> None:
    run, database = running(lambda offsets, condemned: OSError(), leaving=lambda: True)
    assert not await run.run("review.approved", 0, records(range(4)))
    assert len(database.calls) == 1
    assert database.committed == []


async def test_a_partition_without_an_account_is_given_up(running: Any) -> None:
    run, database = running(lambda offsets, condemned: Unopened())
    assert not await run.run("review.approved", 0, records(range(4)))
    assert len(database.calls) == 1


@pytest.mark.parametrize("error", [asyncpg.DataError("no"), asyncpg.CheckViolationError("no"), ValueError("no")])
async def test_a_record_that_the_database_refuses_is_found_by_halving(running: Any, error: Exception) -> None:
    run, database = running(lambda offsets, condemned: error if 5 in offsets and 5 not in condemned else None)
    assert await run.run("review.approved", 0, records(range(8)))
    assert database.committed == list(range(8))
    assert database.dead == {5: f"could not be stored: {type(error).__name__}"}


async def test_an_event_that_fails_is_tried_again_and_then_set_apart(running: Any) -> None:
    def answer(offsets: list[int], condemned: Mapping[int, str]) -> Exception | None:
        if 2 in condemned:
            return None
        failed = EventFailed(2)
        failed.__cause__ = KeyError("x")
        return failed

    run, database = running(answer)
    assert await run.run("ownership.added", 0, records(range(4)))
    assert database.calls == [[0, 1, 2, 3]] * 3
    assert database.dead == {2: "could not be applied: KeyError"}


async def test_an_event_that_fails_once_is_not_dead(running: Any) -> None:
    failures: list[Exception] = [EventFailed(2)]
    run, database = running(lambda offsets, condemned: failures.pop() if failures else None)
    assert await run.run("ownership.added", 0, records(range(4)))
    assert database.dead == {}


async def test_refusing_even_the_dead_letter_ends_the_worker(running: Any) -> None:
    run, _ = running(lambda offsets, condemned: ValueError("always"))
    with pytest.raises(ValueError, match="always"):
        await run.run("review.approved", 0, records(range(2)))


async def test_a_fault_of_ours_ends_the_worker(running: Any) -> None:
    run, database = running(lambda offsets, condemned: RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await run.run("review.approved", 0, records(range(2)))
    assert database.committed == []


async def test_a_jump_ends_the_worker_at_first_sight_and_is_a_hole_at_the_second(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    holes: list[tuple[int, int]] = []
    sightings: list[int] = []

    async def suspect_hole(connection: Any, topic: str, partition: int, start: int, end: int) -> int:
        sightings.append(start)
        return len(sightings)

    async def record_hole(connection: Any, topic: str, partition: int, start: int, end: int) -> None:
        holes.append((start, end))

    monkeypatch.setattr(runner.ledger, "suspect_hole", suspect_hole)
    monkeypatch.setattr(runner.ledger, "record_hole", record_hole)
    run, database = running(lambda offsets, condemned: None if holes else Gap("review.approved", 0, 3, 10))
    # Read from Kafka's offset because the ledger was out of reach: such a jump proves nothing.
    for _ in range(2):
        with pytest.raises(Gap):
            await run.run("review.approved", 0, records(range(10, 12)))
    assert sightings == []
    run.sought = True
    with pytest.raises(Gap, match="is due at offset 3, but the log goes on at 10"):
        await run.run("review.approved", 0, records(range(10, 12)))
    assert holes == []
    assert await run.run("review.approved", 0, records(range(10, 12)))
    assert holes == [(3, 10)]
    assert database.committed == [10, 11]


@pytest.mark.parametrize(
    ("sizes", "most", "parts"),
    [
        ([], 100, []),
        ([50, 50], 100, [2]),
        ([50, 51], 100, [1, 1]),
        ([500], 100, [1]),
        ([500, 1, 99, 1], 100, [1, 2, 1]),
        ([1, 500, 1], 100, [1, 1, 1]),
        ([None, 100, None], 100, [3]),
    ],
)
def test_a_bundle_is_cut_by_bytes(sizes: list[int | None], most: int, parts: list[int]) -> None:
    bundle = [Record(at, None if size is None else b"x" * size) for at, size in enumerate(sizes)]
    found = list(_parts(bundle, most, len(bundle)))
    assert [len(part) for part in found] == parts
    assert [record.offset for part in found for record in part] == list(range(len(sizes)))


async def test_each_part_of_a_bundle_is_a_transaction(running: Any) -> None:
    run, database = running(lambda offsets, condemned: None)
    assert await run.run("ownership.added", 0, [Record(0, b"x" * 600_000), Record(1, b"x" * 600_000), Record(2)])
    assert database.calls == [[0], [1, 2]]


async def test_what_may_touch_all_of_a_user_comes_in_small_transactions(running: Any) -> None:
    run, database = running(lambda offsets, condemned: None)
    assert await run.run("cron.sweep", 0, [Record(at) for at in range(120)])
    assert [len(offsets) for offsets in database.calls] == [10] * 12


async def test_between_small_transactions_it_leaves_for_a_rebalance(running: Any) -> None:
    run, database = running(lambda offsets, condemned: None, lambda: len(database.calls) == 2)
    assert not await run.run("cron.sweep", 0, [Record(at) for at in range(120)])
    assert [len(offsets) for offsets in database.calls] == [10, 10]


async def test_what_is_too_slow_is_halved_and_a_single_record_gets_longer(running: Any) -> None:
    slow = {3: 2}  # offset -> attempts that are cancelled when it is alone

    def answer(offsets: list[int], condemned: Any) -> Exception | None:
        if 3 in offsets and len(offsets) > 1:
            return asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        if offsets == [3] and slow[3]:
            slow[3] -= 1
            return asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        return None

    run, database = running(answer)
    assert await run.run("ownership.added", 0, records(range(4)))
    assert sorted(database.committed) == [0, 1, 2, 3]
    assert [limits["statement_timeout"] for limits in database.limits] == ["4000"] * 3 + ["16000", "64000"]
