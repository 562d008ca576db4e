"""When everything is done, and what is said to be left."""

from services.cli.positions import Progress, Status
from services.cli.wait import MOST_NAMED, left


def at(partition: int, log_end: int, next_offset: int) -> Progress:
    return Progress("user.joined", partition, log_end, 0, next_offset, next_offset, 0, 0, 0)


def test_done_needs_ledger_outbox_and_graph() -> None:
    assert Status([at(0, 5, 5)], 0, 0, 0).done
    assert Status([at(0, 5, 5)], 0, outbox_failed=3, news=0).done
    assert not Status([at(0, 5, 4)], 0, 0, 0).done
    assert not Status([at(0, 5, 5)], 1, 0, 0).done
    assert not Status([at(0, 5, 5)], 0, 0, news=1).done
    assert not Status([at(0, 5, 5)], 0, 0, 0, graph_due=1).done


def test_a_ledger_beyond_the_log_hides_nothing_elsewhere() -> None:
    """A log that was made anew is shorter than its ledger; that must not count against another's backlog."""
    found = Status([at(0, 0, 9), at(1, 9, 0)], 0, 0, 0)
    assert found.behind == 9
    assert not found.done


def test_what_is_left_is_named_the_longest_first() -> None:
    found = Status([at(n, n, 0) for n in range(1, MOST_NAMED + 3)], 2, 0, 1)
    assert left(found) == (
        "records to process: 7 of user.joined[7], 6 of user.joined[6], 5 of user.joined[5], 4 of user.joined[4],"
        " 3 of user.joined[3], 3 of 2 more partitions; messages to publish: 2; news of the catalogue to tell: 1"
    )
