"""The invariants of a run: a good one passes all of them, and each fault breaks the one that names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.demo.outcome import Campaigned, Letter, Outcome, Takeover, Told, Tried, checks

TAKEOVER = Takeover("worker-1", 7, [0, 1, 2, 3], 8, 76, ["worker-2"], [], 6.4)
TRIED = Tried(missing=94, with_all=True, with_one_less=False, left=["World Collector Platinum"], changed=0)
CAMPAIGNED = Campaigned(state="done", users=4, awards=5, published=5, to_the_day=5, notified=0, due=13, amiss=0)
RARITY = Told(badges=64, wrong=0, percentages=0, ranks=130, twice=0)
GOOD = Outcome(
    sent=92,
    in_log=94,
    processed=92,
    duplicate=1,
    dead=1,
    hole=0,
    told=2,
    outbox=0,
    refused=0,
    awarded=frozenset({"a", "b"}),
    published={"a:1": "a", "b:1": "b"},
    messages=2,
    rejections=1,
    letters=[Letter("ownership.added", 2, 19, "schema", "data.items[0].release.id: expected int, got str")],
    recount={"users": 4, "drifted": 0},
    takeover=TAKEOVER,
    tried=TRIED,
    campaigned=CAMPAIGNED,
    rarity=RARITY,
)
ACCOUNTED = "every event accounted for"
ONE_OF_EACH = "one duplicate and one dead letter"
PUBLISHED = "published = awarded"
OUTBOX = "outbox empty"
REPLACED = "killed worker replaced"
DRIFT = "no drift"
WHAT_IF = "what-if tells and writes nothing"
CAMPAIGN = "campaign gave what was due"
RARE = "rarity is what the lists say"


def broken(outcome: Outcome) -> set[str]:
    return {check.name for check in checks(outcome) if not check.held}


def test_a_good_run_passes() -> None:
    assert broken(GOOD) == set()


def test_a_message_may_come_twice() -> None:
    assert broken(replace(GOOD, messages=3)) == set()


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"sent": 93}, {ACCOUNTED}),
        ({"told": 1}, {ACCOUNTED}),
        ({"in_log": 95}, {ACCOUNTED}),
        ({"processed": 91}, {ACCOUNTED}),
        ({"processed": 91, "hole": 1}, {ACCOUNTED}),
        ({"processed": 91, "duplicate": 2}, {ONE_OF_EACH}),
        ({"processed": 91, "dead": 2}, {ONE_OF_EACH}),
        ({"letters": []}, {ONE_OF_EACH}),
        ({"rejections": 0}, {ONE_OF_EACH}),
        ({"awarded": frozenset({"a"})}, {PUBLISHED}),
        ({"awarded": frozenset({"a", "b", "c"})}, {PUBLISHED}),
        ({"awarded": frozenset({"a", "c"})}, {PUBLISHED}),
        ({"awarded": frozenset(), "published": {}}, {PUBLISHED}),
        ({"published": {"a:1": "a", "a:2": "a", "b:1": "b"}}, {PUBLISHED}),
        ({"outbox": 1}, {OUTBOX}),
        ({"refused": 1}, {OUTBOX}),
        ({"takeover": replace(TAKEOVER, done=0)}, {REPLACED}),
        ({"takeover": replace(TAKEOVER, left=0)}, {REPLACED}),
        ({"takeover": replace(TAKEOVER, heirs=[])}, {REPLACED}),
        ({"takeover": replace(TAKEOVER, stranded=[3])}, {REPLACED}),
        ({"recount": {"users": 4, "drifted": 1}}, {DRIFT}),
        ({"recount": {"users": 3, "drifted": 0}}, {DRIFT}),
        ({"tried": replace(TRIED, with_all=False)}, {WHAT_IF}),
        ({"tried": replace(TRIED, with_one_less=True)}, {WHAT_IF}),
        ({"tried": replace(TRIED, left=[])}, {WHAT_IF}),
        ({"tried": replace(TRIED, changed=1)}, {WHAT_IF}),
        ({"campaigned": replace(CAMPAIGNED, state="running")}, {CAMPAIGN}),
        ({"campaigned": replace(CAMPAIGNED, users=3)}, {CAMPAIGN}),
        ({"campaigned": replace(CAMPAIGNED, awards=6)}, {CAMPAIGN}),
        ({"campaigned": replace(CAMPAIGNED, awards=0, published=0, to_the_day=0)}, {CAMPAIGN}),
        ({"campaigned": replace(CAMPAIGNED, to_the_day=4)}, {CAMPAIGN}),
        ({"campaigned": replace(CAMPAIGNED, notified=1)}, {CAMPAIGN}),
        ({"campaigned": replace(CAMPAIGNED, amiss=1)}, {CAMPAIGN}),
        ({"rarity": replace(RARITY, badges=0)}, {RARE}),
        ({"rarity": replace(RARITY, wrong=1)}, {RARE}),
        ({"rarity": replace(RARITY, percentages=1)}, {RARE}),
        ({"rarity": replace(RARITY, ranks=0)}, {RARE}),
        ({"rarity": replace(RARITY, twice=1)}, {RARE}),
    ],
)
def test_a_fault_breaks_the_invariant_that_names_it(change: dict[str, Any], names: set[str]) -> None:
    assert broken(replace(GOOD, **change)) == names
