"""When Neo4j is left alone, when it is asked again; and how its address is read."""

import pytest

from services import metrics
from services.graph.breaker import FAILURES, PROBE_SECONDS, Breaker
from services.graph.server import address
from services.settings import Settings


def test_it_opens_after_a_few_failures_in_a_row_and_closes_with_an_answer() -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert not breaker.failed(0.0, "away")
        assert not breaker.answered(), "an answer in between begins the count anew"
    assert [breaker.failed(0.0, "away") for _ in range(FAILURES + 1)] == [False] * (FAILURES - 1) + [True, False]
    assert (breaker.is_open, breaker.why, metrics.GRAPH_BREAKER._value.get()) == (True, "away", 1.0)
    assert breaker.answered()
    assert (breaker.is_open, breaker.why, metrics.GRAPH_BREAKER._value.get()) == (False, None, 0.0)


def test_probes_come_less_and_less_often_and_never_stop() -> None:
    breaker, now, pauses = Breaker(), 100.0, []
    for _ in range(FAILURES - 1):
        breaker.failed(now, "away")
    for _ in range(40):
        breaker.failed(now, "away")
        pauses.append(breaker.probe_in(now))
        assert breaker.probe_in(now + pauses[-1]) == 0
        now += pauses[-1]
    shortest, longest = PROBE_SECONDS
    assert shortest / 2 <= pauses[0] <= shortest
    assert all(longest / 2 <= pause <= longest for pause in pauses[10:])


@pytest.mark.parametrize(
    ("url", "server", "login"),
    [
        ("bolt://127.0.0.1:7687", "bolt://127.0.0.1:7687", None),
        ("bolt://neo4j:s%40cret@db:7687", "bolt://db:7687", ("neo4j", "s@cret")),
        ("neo4j+s://u:p@[::1]:7687/", "neo4j+s://[::1]:7687/", ("u", "p")),
    ],
)
def test_the_login_is_taken_out_of_the_address(url: str, server: str, login: tuple[str, str] | None) -> None:
    assert address(Settings(neo4j_url=url).neo4j_url) == (server, login)
