"""Who asks together: nobody is left behind, and nobody suffers for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from services.api import gathered
from services.api.gathered import Gathered
from services.api.problems import Problem


class Statements:
    """A reader whose statements end when the test says so; `bad` is a question that fails whoever it goes with."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.ends: list[asyncio.Event] = []

    async def ask_within(self, seconds: float, ask: Any, questions: Sequence[str]) -> list[str]:
        assert seconds > 0
        self.asked.append(list(questions))
        self.ends.append(end := asyncio.Event())
        await end.wait()
        if "bad" in questions:
            raise ValueError("a row that cannot be read")
        return [question.upper() for question in questions]


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def ask_both(statements: Statements) -> tuple[Gathered[str, str], list[asyncio.Task[str]]]:
    """Two questions that are under way, each alone."""
    asking: Gathered[str, str] = Gathered(statements, None)  # type: ignore[arg-type]
    tasks = []
    for question in "ab":
        tasks.append(asyncio.create_task(asking.ask(question)))
        await turns()
    assert statements.asked == [["a"], ["b"]]
    return asking, tasks


@pytest.mark.parametrize("later", range(4))
@pytest.mark.parametrize("ending", [[0, 1], [1]])
async def test_who_asks_when_a_lane_ends_is_not_left_behind(later: int, ending: list[int]) -> None:
    statements = Statements()
    asking, _ = await ask_both(statements)

    async def third() -> str:
        await turns(later)
        return await asking.ask("c")

    for at in ending:
        statements.ends[at].set()
    task = asyncio.create_task(third())
    await turns(later + 8)
    assert statements.asked[2:] == [["c"]]
    statements.ends[2].set()
    assert await task == "C"


async def test_who_waits_goes_together_and_a_bad_question_fails_alone() -> None:
    statements = Statements()
    asking, _ = await ask_both(statements)
    tasks = [asyncio.create_task(asking.ask(question)) for question in ("c", "bad", "d")]
    await turns()
    statements.ends[0].set()
    for _ in range(6):
        await turns()
        for end in statements.ends[2:]:
            end.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert statements.asked[2:] == [["c", "bad", "d"], ["c"], ["bad"], ["d"]]
    assert (answers[0], answers[2]) == ("C", "D")
    assert isinstance(answers[1], ValueError)


async def test_nothing_is_asked_for_who_waits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    statements = Statements()
    asking, _ = await ask_both(statements)
    gone = asyncio.create_task(asking.ask("gone"))
    monkeypatch.setattr(gathered, "ANSWER_SECONDS", 0.0)
    late = asyncio.create_task(asking.ask("late"))
    await turns()
    gone.cancel()
    await turns()
    statements.ends[0].set()
    with pytest.raises(Problem) as problem:
        await late
    assert problem.value.kind.status == 503
    assert len(statements.asked) == 2


async def test_a_lane_that_is_cancelled_takes_nobody_along_for_ever() -> None:
    statements = Statements()
    asking, tasks = await ask_both(statements)
    for lane in list(asking._lanes):
        lane.cancel()
    assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*tasks, return_exceptions=True))
