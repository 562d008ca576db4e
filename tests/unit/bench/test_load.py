"""The records of the benches are events that the worker accepts, the same in every run."""

from bench import load, worker
from contracts.envelope import decode
from services.kafka import partition_of


def test_every_record_is_a_valid_event() -> None:
    records = load.random_events(30, ["user-1", "user-2"], 100)
    for record in records:
        event = decode(load.TOPIC, record.key, record.value, record.headers, record.timestamp)
        releases = [item.release.id for item in event.data.items]
        assert len(set(releases)) == record.items == 100
        assert event.subject.encode() == record.key
    assert len({dict(record.headers)["ce_id"] for record in records}) == 30


def test_the_same_seed_gives_the_same_records() -> None:
    users = [f"user-{number}" for number in range(50)]
    first, again, other = (load.random_events(20, users, 1, seed=seed) for seed in (1, 1, 2))
    assert [one.value for one in first] == [one.value for one in again]
    assert [one.value for one in first] != [one.value for one in other]


def test_the_pool_of_releases_repeats_under_other_ids() -> None:
    pool = len(load.releases())
    first, second = load.release_at(3), load.release_at(pool + 3)
    assert first != second
    assert second.partition(b",")[0] == b'{"id":%d' % (load.releases()[3]["id"] + load.ROUND)
    assert first.partition(b",")[2] == second.partition(b",")[2]


def test_records_lie_where_kafka_puts_them() -> None:
    records = load.random_events(200, [f"user-{number}" for number in range(50)], 1)
    lanes = worker.placed(records)
    assert sum(map(len, lanes)) == 200
    for number, lane in enumerate(lanes):
        assert [record.offset for record in lane] == list(range(len(lane)))
        assert {partition_of(record.key, range(worker.PARTITIONS)) for record in lane} <= {number}
